"""Passwords are hashed like secrets: Argon2id at the cost, and within the bound, of `hashing`."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from runai_access.db.normalization import normalize_password
from runai_access.security import hashing
from runai_access.security.hashing import HashKind, hash_in_turn


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Django's Argon2 hasher, whose own defaults take 100 MiB a verify."""

    time_cost = hashing.PASSES
    memory_cost = hashing.MEMORY_KIB
    parallelism = hashing.LANES

    def encode(self, password: str, salt: str) -> str:
        """Hash a new password; this waits patiently, as no stranger can ask for it."""
        encode, normalized = super().encode, normalize_password(password)
        return hash_in_turn(HashKind.PASSWORD, lambda: encode(normalized, salt), is_patient=True)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether `password` is the hashed one, normalized or, from earlier versions, as typed.

        Both are tried in one turn. The second costs a second Argon2 run, and only where the two differ:
        that depends on what was typed, so an unknown user takes no less time than a known one.
        """
        verify, normalized = super().verify, normalize_password(password)
        spellings = dict.fromkeys([normalized, password])
        return hash_in_turn(
            HashKind.PASSWORD, lambda: any(verify(one, encoded) for one in spellings)
        )

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost, so no hash is cheaper than another."""
