"""Argon2id for secrets and passwords: its cost, and how many may run at once.

The cost is the minimum of the OWASP password storage guidance (19 MiB, two passes, one lane). Our
secrets carry 256 random bits, so the cost guards a stolen database against nothing but a bad
random source; people's passwords need it in earnest.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from runai_access.errors import Busy

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
# A worker for each core: more at once in one of them would only wait for it, with 19 MiB each.
HASHES_AT_ONCE = 1
QUEUE_SECONDS = 10

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
_slots = threading.BoundedSemaphore(HASHES_AT_ONCE)


@contextmanager
def hashing_slot() -> Iterator[None]:
    """Hold one of the process's few places for an Argon2 run, so that memory stays bounded.

    Raises Busy when none comes free in time; the same for everyone, so waiting tells nothing.
    """
    if not _slots.acquire(timeout=QUEUE_SECONDS):
        raise Busy("Too many sign-ins at once.", retry_after=5)
    try:
        yield
    finally:
        _slots.release()


def hash_secret(secret: str) -> str:
    """Return the Argon2id hash of `secret` in PHC string form."""
    with hashing_slot():
        return _hasher.hash(secret)


def verify_secret(secret_hash: str, secret: str) -> bool:
    """Return whether `secret` is the one that was hashed; an unreadable hash matches nothing."""
    with hashing_slot():
        try:
            return _hasher.verify(secret_hash, secret)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
