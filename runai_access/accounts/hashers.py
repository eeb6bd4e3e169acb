"""Passwords are hashed like secrets: Argon2id at the cost, and within the bound, of `hashing`."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from runai_access import hashing
from runai_access.hashing import HashKind, hashing_slot


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Django's Argon2 hasher, whose own defaults take 100 MiB a verify."""

    time_cost = hashing.PASSES
    memory_cost = hashing.MEMORY_KIB
    parallelism = hashing.LANES

    def encode(self, password: str, salt: str) -> str:
        """Hash a new password; this waits patiently, as no stranger can ask for it."""
        with hashing_slot(HashKind.PASSWORD, is_patient=True):
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with hashing_slot(HashKind.PASSWORD):
            return super().verify(password, encoded)

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost, so no hash is cheaper than another."""
