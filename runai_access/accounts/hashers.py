"""Passwords are hashed like secrets: Argon2id at the cost, and within the bound, of `hashing`."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from runai_access import hashing


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Django's Argon2 hasher, whose own defaults take 100 MiB a verify."""

    time_cost = hashing.PASSES
    memory_cost = hashing.MEMORY_KIB
    parallelism = hashing.LANES

    def encode(self, password: str, salt: str) -> str:
        with hashing.hashing_slot():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with hashing.hashing_slot():
            return super().verify(password, encoded)

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost, so no hash is cheaper than another."""
