"""Password hashing with Argon2id, at the cost and within the concurrency limit of `hashing`."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from runai_access.db.normalization import normalize_password
from runai_access.security import hashing
from runai_access.security.hashing import HashKind, hash_in_turn


class BoundedArgon2Hasher(Argon2PasswordHasher):
    """Django's Argon2 hasher at a lower cost: its defaults use 100 MiB for each verification."""

    time_cost = hashing.PASSES
    memory_cost = hashing.MEMORY_KIB
    parallelism = hashing.LANES

    def encode(self, password: str, salt: str) -> str:
        """Hash a new password. Waits longer than `verify`, because only signed-in users need it."""
        encode, normalized = super().encode, normalize_password(password)
        return hash_in_turn(HashKind.PASSWORD, lambda: encode(normalized, salt), is_patient=True)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether `password` matches, normalized or, for hashes of earlier versions, as entered.

        If the two forms differ, this costs a second Argon2 run. That depends only on the entered text,
        so the time does not reveal whether a user exists.
        """
        verify, normalized = super().verify, normalize_password(password)
        spellings = dict.fromkeys([normalized, password])
        return hash_in_turn(
            HashKind.PASSWORD, lambda: any(verify(spelling, encoded) for spelling in spellings)
        )

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: all hashes have the same cost."""
