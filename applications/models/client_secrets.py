"""Client secrets of applications, and how they are used."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

LABEL_MAX_LENGTH = 100
ADDRESS_MAX_LENGTH = 45
AGENT_MAX_LENGTH = 200


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    """Client secrets of any status."""

    def unrevoked(self) -> Self:
        """Return the live and the expired ones."""
        return self.filter(revoked_at=None)

    def live(self) -> Self:
        """Return those that work."""
        return self.filter(_is_live())

    def ended(self) -> Self:
        """Return the revoked and the expired ones."""
        return self.exclude(_is_live())


def _is_live() -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class ClientSecret(models.Model):
    """A client secret of an application; only its hash is stored. It is live until revoked or expired.

    The ID is public and part of the secret's text. Secrets made before 0.2.0 contain no ID
    (`has_old_format`); an application has at most one of them.
    """

    id = models.CharField(primary_key=True, max_length=12)
    application = models.ForeignKey(
        "applications.Application", models.CASCADE, related_name="secrets"
    )
    secret_hash = models.CharField(max_length=128)
    has_old_format = models.BooleanField(default=False)
    label = models.CharField(max_length=LABEL_MAX_LENGTH, blank=True, default="")
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)  # NULL: never
    last_used_at = models.DateTimeField(null=True)  # NULL: never
    revoked_by = models.CharField(max_length=255, blank=True, default="")
    revoked_at = models.DateTimeField(null=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(secret_hash__startswith="$argon2id$"),  # noqa: S106
                name="client_secret_only_as_argon2id",
            ),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(has_old_format=True),
                name="client_secret_one_of_old_format",
            ),
        ]
        indexes = [
            # For the filter by expiry. Most secrets do not expire.
            models.Index(
                fields=["expires_at", "application"],
                name="client_secret_by_expiry",
                condition=Q(revoked_at=None, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.beginning

    @property
    def beginning(self) -> str:
        """The start of the secret's text, which identifies it."""
        return "ras_…" if self.has_old_format else f"ras_{self.id}_…"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and not self.is_expired

    @property
    def is_too_old(self) -> bool:
        """Whether the secret is live and older than the maximum age of the installation."""
        days = settings.SECRET_MAX_AGE_DAYS
        if days is None or not self.is_live:
            return False
        return self.created_at < timezone.now() - timedelta(days=days)

    @property
    def status(self) -> str:
        """`live`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.is_expired else "live"


class SecretUse(models.Model):
    """How often a caller used a client secret on a day, in UTC. `oauth.secret_use` writes it.

    Address and agent are empty for callers beyond the number that is counted separately.
    """

    secret = models.ForeignKey(ClientSecret, models.CASCADE, related_name="uses", db_index=False)
    day = models.DateField(db_index=True)
    address = models.CharField(max_length=ADDRESS_MAX_LENGTH, blank=True)
    agent = models.CharField(max_length=AGENT_MAX_LENGTH, blank=True)
    count = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["secret", "day", "address", "agent"], name="secret_use_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.secret_id} {self.day}"
