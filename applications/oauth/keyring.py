"""The signing keys of tokens: stored encrypted in the database, and cached in each process."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import Error, OperationalError, transaction
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from applications.models import SigningKey
from applications.oauth.signing_keys import create_key, decrypt_key
from runai_access.audit.recorder import Entity, record
from runai_access.db.outage import best_effort, handle_outage

# Each process reloads the keys this often, so all replicas have a new key before it signs.
RELOAD_SECONDS = 5.0
MIN_RELOAD_INTERVAL_SECONDS = 1.0
# How long the choice of the signing key is kept. All replicas load a key long before it can sign.
CHOICE_SECONDS = 1.0
SIGNS_AFTER_SECONDS = 30


@dataclass(frozen=True)
class Key:
    """A decrypted key pair."""

    kid: str
    private_key: ec.EllipticCurvePrivateKey
    public_key: ec.EllipticCurvePublicKey
    signs_from: datetime


class SigningChoice(NamedTuple):
    """The signing key among `keys`, until a time of the monotonic clock."""

    keys: dict[str, Key]
    key: Key
    until: float


class Keyring:
    """The key cache of this process, newest key first."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._choice: SigningChoice | None = None
        self._loaded_at = float("-inf")
        self._failed_at = float("-inf")
        self._lock = Lock()  # held by the thread that loads the keys

    def current(self) -> Key:
        """Return the signing key: the newest active one. Creates the first key if there is none."""
        choice = self._choice
        if choice is None or choice.keys is not self._keys or time.monotonic() >= choice.until:
            choice = self._choice = self._choose()
        return choice.key

    def _choose(self) -> SigningChoice:
        try:
            self._refresh(RELOAD_SECONDS)
        except Error as error:
            if not self._keys:
                raise
            handle_outage(error)  # cached keys can sign without the database
        if not self._keys:
            create_key(signs_from=timezone.now())
            self._load()
        keys, now = self._keys, timezone.now()
        key = _active(keys, now)
        if now - key.signs_from > timedelta(days=settings.SIGNING_KEY_DAYS):
            with best_effort():  # an overdue key still signs
                self._rotate(key)
        until = min(time.monotonic() + CHOICE_SECONDS, self._loaded_at + RELOAD_SECONDS)
        return SigningChoice(keys, key, until)

    def public_key(self, kid: object) -> ec.EllipticCurvePublicKey | None:
        """Return the public key by ID, or None. Unknown IDs cause one reload per second at most."""
        if not isinstance(kid, str):
            return None
        if kid in self._keys:
            self._refresh(RELOAD_SECONDS)
        else:
            self._refresh(MIN_RELOAD_INTERVAL_SECONDS, wait=True)
        key = self._keys.get(kid)
        return key.public_key if key else None

    def forget(self) -> None:
        """Clear the cache; the next call loads the keys again."""
        self._keys = {}
        self._loaded_at = self._failed_at = float("-inf")

    def _refresh(self, seconds: float, *, wait: bool = False) -> None:
        """Reload the keys if the cache is older than `seconds`.

        One thread loads them. Others use the cache, unless it is empty or they `wait`. If the load
        fails, waiting threads fail too, so that their timeouts don't add up in an outage.
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

    def _rotate(self, key: Key) -> None:
        """Create the successor of an overdue key, unless there is one that is not active yet."""
        if all(cached.signs_from <= timezone.now() for cached in self._keys.values()):
            create_successor(key.kid)
            self._load()

    def _load(self) -> None:
        self._keys = {
            row.kid: Key(row.kid, *decrypt_key(row), row.signs_from)
            for row in SigningKey.objects.all()
        }
        self._loaded_at = time.monotonic()


def _active(keys: dict[str, Key], now: datetime) -> Key:
    ready = [key for key in keys.values() if key.signs_from <= now]
    # If no key is active yet, use the newest one.
    return ready[0] if ready else next(iter(keys.values()))


KEYRING = Keyring()


@transaction.atomic
def create_successor(kid: str) -> None:
    """Create the successor of a key, once: all processes find it overdue at the same time."""
    SigningKey.objects.select_for_update().filter(kid=kid).first()
    newest = SigningKey.objects.first()
    if newest is not None and newest.kid == kid:
        rotate()


@transaction.atomic
def rotate(*, after_seconds: int = SIGNS_AFTER_SECONDS) -> SigningKey:
    """Create a new signing key, and delete keys whose last token has expired.

    The new key becomes active after `after_seconds`. By then, all replicas have loaded it, and so have
    verifiers that fetch the JWKS for unknown keys. Older keys verify tokens until those expire.
    """
    now = timezone.now()
    max_lifetime = timedelta(
        seconds=settings.TOKEN_LIFETIME_MAX_SECONDS + settings.TOKEN_LEEWAY_SECONDS
    )
    # A key signs until its successor becomes active, so its last token expires `max_lifetime` later.
    replaced_at: datetime | None = None
    for key in SigningKey.objects.all():
        if replaced_at is not None and replaced_at + max_lifetime < now:
            _remove(key)
        replaced_at = key.signs_from
    return _add(signs_from=now + timedelta(seconds=after_seconds))


@transaction.atomic
def replace_all() -> SigningKey:
    """Create a new signing key and delete all others, which invalidates their tokens.

    Each process applies this when it reloads the keys, within RELOAD_SECONDS.
    """
    for key in SigningKey.objects.all():
        _remove(key)
    return _add(signs_from=timezone.now())


def _add(*, signs_from: datetime) -> SigningKey:
    key = create_key(signs_from=signs_from)
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
