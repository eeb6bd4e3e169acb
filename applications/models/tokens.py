"""Tokens: the keys that sign them, those that were revoked, and how many were issued."""

from django.db import models
from django.utils import timezone


class TokenCount(models.Model):
    """How many tokens were issued on a day, in UTC. `oauth.token_counts` writes it."""

    day = models.DateField(primary_key=True)
    count = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class SigningKey(models.Model):
    """An ES256 key pair. A key derived from SECRET_KEY encrypts the private key.

    It is published on creation but signs only from `signs_from` on, when every replica has loaded it.
    """

    kid = models.CharField(primary_key=True, max_length=64)
    encrypted_private_key = models.BinaryField()
    public_jwk = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-signs_from", "kid"]

    def __str__(self) -> str:
        return self.kid


class RevokedToken(models.Model):
    """A token that its application revoked before it expired (RFC 7009)."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.jti)
