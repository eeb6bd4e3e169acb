"""Passwords are hashed like secrets: Argon2id at the cost, and within the bound, of `hashing`."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from runai_access import hashing
from runai_access.hashing import HashKind, hash_in_turn


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Django's Argon2 hasher, whose own defaults take 100 MiB a verify."""

    time_cost = hashing.PASSES
    memory_cost = hashing.MEMORY_KIB
    parallelism = hashing.LANES

    def encode(self, password: str, salt: str) -> str:
        """Hash a new password; this waits patiently, as no stranger can ask for it."""
        encode = super().encode
        return hash_in_turn(HashKind.PASSWORD, lambda: encode(password, salt), is_patient=True)

    def verify(self, password: str, encoded: str) -> bool:
        verify = super().verify
        return hash_in_turn(HashKind.PASSWORD, lambda: verify(password, encoded))

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost, so no hash is cheaper than another."""
