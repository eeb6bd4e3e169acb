"""Verification of client secrets: an Argon2 run the first time, a fast cache afterwards."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from threading import Lock

from applications.oauth.lookups import (
    FoundApplication,
    get_application_by_client_id,
    get_application_by_secret_id,
)
from applications.oauth.secrets import id_of, is_well_formed
from applications.validators import is_name
from runai_access.errors import Busy, TooMany
from runai_access.security.hashing import HashKind, guessing, unmatched_hash, verify_secret
from runai_access.security.throttles import Limit, attempt_all, network_of, used_up

MAX_CACHED = 10_000
# Limits on failed verifications in METER_SECONDS, which is also the longest `retry_after`.
METER_SECONDS = 30
TRIES_PER_CLIENT = 20
TRIES_PER_ADDRESS = 300


class ExpiredSecret(Exception):
    """The secret is right, but has expired. The client gets the answer to a wrong one."""


class VerifiedSecretCache:
    """Secrets that this process has verified, as keyed digests. Never the secret itself, never on disk.

    The digest includes the stored hash, so regenerating a secret invalidates its entry immediately on
    all replicas.
    """

    def __init__(self, size: int) -> None:
        self._key = secrets.token_bytes(32)
        self._size = size
        self._digests: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def contains(self, secret_hash: str, secret: str) -> bool:
        """Return whether this secret was verified against this hash."""
        with self._lock:
            digest = self._digests.get(secret_hash)
            if digest is not None:
                self._digests.move_to_end(secret_hash)
        return digest is not None and hmac.compare_digest(digest, self._digest(secret_hash, secret))

    def add(self, secret_hash: str, secret: str) -> None:
        digest = self._digest(secret_hash, secret)
        with self._lock:
            self._digests[secret_hash] = digest
            if len(self._digests) > self._size:
                self._digests.popitem(last=False)

    def _digest(self, secret_hash: str, secret: str) -> bytes:
        # Keyed BLAKE2b is a MAC (RFC 7693 §2.9), at a tenth of the cost of HMAC.
        text = f"{secret_hash}\x00{secret}".encode()
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


_cache = VerifiedSecretCache(MAX_CACHED)
# Verified if there is no hash, so that unknown clients take as long as known ones.
_NO_HASH = unmatched_hash()


def authenticate(
    client_id: str, secret: str, address: str | None = None
) -> FoundApplication | None:
    """Return the enabled application with this client ID and live secret, or None.

    Each failure costs one Argon2 run, whatever its cause; only success can be faster. A malformed
    secret is refused before any query, so timing reveals nothing. Raises TooMany after too many
    failures from `address`, Busy if too many verifications are waiting, and ExpiredSecret.
    """
    if not is_well_formed(secret):
        return None
    # Invalid names are not queried: not all texts are valid in a database.
    is_valid = is_name(client_id)
    application = get_application_by_client_id(client_id, id_of(secret)) if is_valid else None
    return _verified(application, secret, ("client", client_id), address)


def authenticate_by_secret(secret: str, address: str | None = None) -> FoundApplication | None:
    """Return the enabled application with this live secret, or None, as `authenticate` does.

    Refuses secrets without an ID, from before 0.2.0: nothing else says which application they are of.
    The limit is that of the ID, so that it does not reveal the application.
    """
    if not is_well_formed(secret) or not id_of(secret):
        return None
    application = get_application_by_secret_id(id_of(secret))
    return _verified(application, secret, ("secret", id_of(secret)), address)


def matches(secret_hash: str, secret: str) -> bool:
    """Return whether a secret has this hash. Without a hash, takes as long and returns False.

    Neither remembers the secret nor counts as a sign-in. Raises Busy as `authenticate` does.
    """
    with guessing(HashKind.CLIENT_SECRET):
        return verify_secret(secret_hash or _NO_HASH, secret)


def _verified(
    application: FoundApplication | None, secret: str, guessed: tuple[str, str], address: str | None
) -> FoundApplication | None:
    """Return the application if the secret is its own, and the application can sign in.

    `guessed` is what a wrong secret counts against, from `address`.
    """
    secret_hash, is_expired, can_sign_in = "", False, False
    if application is not None:
        used_secret = application.used_secret
        secret_hash, is_expired = used_secret.secret_hash, used_secret.is_expired
        can_sign_in = application.enabled and not is_expired
    if can_sign_in and _cache.contains(secret_hash, secret):
        return application
    limits = _limits(*guessed, network_of(address))
    _refuse(used_up(*limits))
    with guessing(HashKind.CLIENT_SECRET):
        attempt = attempt_all(*limits)
        _refuse(attempt.waits)
        try:
            is_right = verify_secret(secret_hash or _NO_HASH, secret)
        except Busy:
            attempt.give_back()
            raise
    if is_right and can_sign_in:
        attempt.succeed()
        _cache.add(secret_hash, secret)
        return application
    if is_right and is_expired:
        raise ExpiredSecret
    return None


def _limits(kind: str, id_: str, network: str) -> tuple[Limit, Limit]:
    """Return the limits on Argon2 runs, which count before they run.

    Per client (or secret) and network, so that an attacker can't use up the attempts of another client.
    Per network, so that one network can't use more than its share of the hashing, whatever client IDs
    it sends.
    """
    return (
        Limit((kind, id_, network), TRIES_PER_CLIENT, METER_SECONDS, clears=True),
        Limit(("address", network), TRIES_PER_ADDRESS, METER_SECONDS),
    )


def _refuse(waits: dict[Limit, int]) -> None:
    if waits:
        raise TooMany("Too many wrong secrets.", retry_after=max(waits.values()))
