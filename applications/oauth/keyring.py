"""The keys that sign tokens: kept in the database, encrypted, and held ready in every process."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import Error, OperationalError, transaction
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from applications.models import SigningKey
from applications.oauth.signing_keys import make_key, open_key
from runai_access.audit.recorder import Entity, record
from runai_access.db.outage import best_effort, handle_outage

# Every process reads the keys again this often, so a new key is known everywhere before it signs.
RELOAD_SECONDS = 5.0
MIN_RELOAD_INTERVAL_SECONDS = 1.0
SIGNS_AFTER_SECONDS = 30


@dataclass(frozen=True)
class Key:
    """A key pair, ready to sign and verify."""

    kid: str
    private_key: ec.EllipticCurvePrivateKey
    public_key: ec.EllipticCurvePublicKey
    signs_from: datetime


class Keyring:
    """This process's copy of the keys, newest first."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._loaded_at = float("-inf")
        self._failed_at = float("-inf")
        self._lock = Lock()  # held by the thread that reads the keys

    def current(self) -> Key:
        """Return the key to sign with: the newest whose time has come; make one where none is."""
        try:
            self._refresh(RELOAD_SECONDS)
        except Error as error:
            if not self._keys:
                raise
            handle_outage(error)  # to sign takes no database, and these keys are good
        if not self._keys:
            make_key(signs_from=timezone.now())
            self._load()
        key = self._signing()
        if timezone.now() - key.signs_from > timedelta(days=settings.SIGNING_KEY_DAYS):
            with best_effort():  # a key that is a little too old still signs
                self._succeed(key)
        return key

    def public_key(self, kid: object) -> ec.EllipticCurvePublicKey | None:
        """Return the key of that id, or None. Asking for unknown ones costs a read a second."""
        if not isinstance(kid, str):
            return None
        if kid in self._keys:
            self._refresh(RELOAD_SECONDS)
        else:
            self._refresh(MIN_RELOAD_INTERVAL_SECONDS, wait=True)
        key = self._keys.get(kid)
        return key.public_key if key else None

    def forget(self) -> None:
        """Drop the copy; the next question reads the database."""
        self._keys = {}
        self._loaded_at = self._failed_at = float("-inf")

    def _refresh(self, seconds: float, *, wait: bool = False) -> None:
        """Read the keys again if the copy is older than `seconds`.

        One thread reads. Others go on with the copy, unless there is none or they `wait`. Those that
        waited for a read that failed fail too: in an outage their waits must not add up.
        """
        if time.monotonic() - self._loaded_at < seconds:
            return
        began = time.monotonic()
        if not self._lock.acquire(blocking=wait or not self._keys):
            return
        try:
            if self._failed_at > began:
                raise OperationalError("The signing keys could not be read.")
            if time.monotonic() - self._loaded_at >= seconds:
                self._load()
        except Error:
            self._failed_at = time.monotonic()
            raise
        finally:
            self._lock.release()

    def _signing(self) -> Key:
        now = timezone.now()
        ready = [key for key in self._keys.values() if key.signs_from <= now]
        # A database whose only key is still to come has nothing better to sign with.
        return ready[0] if ready else next(iter(self._keys.values()))

    def _succeed(self, key: Key) -> None:
        """Make the successor of a key that has signed for long enough, unless one is on its way."""
        if all(known.signs_from <= timezone.now() for known in self._keys.values()):
            succeed(key.kid)
            self._load()

    def _load(self) -> None:
        self._keys = {
            row.kid: Key(row.kid, *open_key(row), row.signs_from)
            for row in SigningKey.objects.all()
        }
        self._loaded_at = time.monotonic()


KEYRING = Keyring()


@transaction.atomic
def succeed(kid: str) -> None:
    """Make the successor of that key, once: every process finds it too old in the same moment."""
    SigningKey.objects.select_for_update().filter(kid=kid).first()
    newest = SigningKey.objects.first()
    if newest is not None and newest.kid == kid:
        rotate()


@transaction.atomic
def rotate(*, after_seconds: int = SIGNS_AFTER_SECONDS) -> SigningKey:
    """Make the next signing key and drop those whose last token has expired.

    It signs after `after_seconds`: by then every replica, and every verifier that reads our JWKS
    when it meets a key it does not know, can check it. Older keys go on verifying for as long as a
    token signed with them may live.
    """
    now = timezone.now()
    longest = timedelta(seconds=settings.TOKEN_LIFETIME_MAX_SECONDS + settings.TOKEN_LEEWAY_SECONDS)
    # A key signs until its successor's time has come; tokens of the last moment live from then.
    replaced_at: datetime | None = None
    for key in SigningKey.objects.all():
        if replaced_at is not None and replaced_at + longest < now:
            _remove(key)
        replaced_at = key.signs_from
    return _add(signs_from=now + timedelta(seconds=after_seconds))


@transaction.atomic
def replace_all() -> SigningKey:
    """Make the next signing key and drop all others, whose tokens end with them.

    Each process follows when it reads the keys again, within RELOAD_SECONDS.
    """
    for key in SigningKey.objects.all():
        _remove(key)
    return _add(signs_from=timezone.now())


def _add(*, signs_from: datetime) -> SigningKey:
    key = make_key(signs_from=signs_from)
    record(
        "create", _entity(key), actor=SYSTEM.actor, changes={"signsFrom": [None, str(signs_from)]}
    )
    return key


def _remove(key: SigningKey) -> None:
    entity = _entity(key)
    key.delete()
    record("delete", entity, actor=SYSTEM.actor)


def _entity(key: SigningKey) -> Entity:
    return Entity("signing_key", key.kid, key.kid)
