"""Is this client ID and secret good? Slow on purpose the first time, quick when remembered."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from threading import Lock

from applications.models import Application
from applications.oauth.lookups import get_application_by_client_id
from applications.oauth.secrets import is_well_formed, new_secret
from applications.validators import is_name
from runai_access.errors import Busy, TooMany
from runai_access.security.hashing import HashKind, guessing, hash_secret, verify_secret
from runai_access.security.throttles import Limit, attempt_all, used_up

MAX_REMEMBERED = 10_000
# Verifies in vain, in each METER_SECONDS, which is also the longest wait that a refusal asks for.
METER_SECONDS = 30
TRIES_PER_CLIENT = 20
TRIES_PER_ADDRESS = 300


class SecretMemory:
    """Secrets this process has verified, as keyed digests; never the secret, never on disk.

    A digest covers the stored hash too, so a regenerated secret is forgotten by being another one,
    on every replica and at once.
    """

    def __init__(self, size: int) -> None:
        self._key = secrets.token_bytes(32)
        self._size = size
        self._digests: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def recalls(self, secret_hash: str, secret: str) -> bool:
        """Return whether this very secret was verified against this very hash."""
        with self._lock:
            known = self._digests.get(secret_hash)
            if known is not None:
                self._digests.move_to_end(secret_hash)
        return known is not None and hmac.compare_digest(known, self._digest(secret_hash, secret))

    def remember(self, secret_hash: str, secret: str) -> None:
        digest = self._digest(secret_hash, secret)
        with self._lock:
            self._digests[secret_hash] = digest
            if len(self._digests) > self._size:
                self._digests.popitem(last=False)

    def _digest(self, secret_hash: str, secret: str) -> bytes:
        # Keyed BLAKE2b is a MAC as it is (RFC 7693 §2.9), at a tenth of what HMAC costs.
        text = f"{secret_hash}\x00{secret}".encode()
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()


_memory = SecretMemory(MAX_REMEMBERED)
# What is verified where there is no hash, so that an unknown client costs what a known one does.
_NO_HASH = hash_secret(new_secret())


def authenticate(client_id: str, secret: str, address: str = "") -> Application | None:
    """Return the enabled application whose secret this is, else None.

    Unknown, wrong, disabled and without a secret each cost one Argon2 verify; only success may be
    quick. A malformed secret is refused before anything is looked up, so that tells nothing either.
    Raises TooMany when `address` has had too many verified in vain, Busy when too many wait.
    """
    if not is_well_formed(secret):
        return None
    application = _find(client_id)
    secret_hash = application.secret_hash if application else ""
    good = application is not None and application.enabled and bool(secret_hash)
    if good and _memory.recalls(secret_hash, secret):
        return application
    limits = _limits(client_id, address)
    _refuse(used_up(*limits))
    with guessing(HashKind.CLIENT_SECRET):
        attempt = attempt_all(*limits)
        _refuse(attempt.waits)
        try:
            is_right = verify_secret(secret_hash or _NO_HASH, secret)
        except Busy:
            attempt.give_back()
            raise
    if is_right and good:
        attempt.succeed()
        _memory.remember(secret_hash, secret)
        return application
    return None


def _limits(client_id: str, address: str) -> tuple[Limit, Limit]:
    """Return the limits on Argon2 verifies, each of which is counted before it runs.

    Per client and address, so that a stranger can't use up an honest client's tries; per address,
    so that no address takes more than its share of the hashing whatever client IDs it invents.
    """
    return (
        Limit(("client", client_id, address), TRIES_PER_CLIENT, METER_SECONDS, clears=True),
        Limit(("address", address), TRIES_PER_ADDRESS, METER_SECONDS),
    )


def _refuse(waits: dict[Limit, int]) -> None:
    if waits:
        raise TooMany("Too many wrong secrets.", retry_after=max(waits.values()))


def _find(client_id: str) -> Application | None:
    # What can't be a name is not looked up: no database takes every text that a stranger may send.
    return get_application_by_client_id(client_id) if is_name(client_id) else None
