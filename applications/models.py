"""Applications and the keys that sign their tokens."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accessrules.models import Subject
from runai_access.db.expressions import BinaryCollation
from runai_access.db.normalization import normalize
from runai_access.row_urls import row_url


class Application(models.Model):
    """A pipeline or service that calls the API: a client ID, which is its name, and a secret.

    Deleting removes the row, and with it the credential; its subject stays, retired.
    """

    subject = models.OneToOneField(
        Subject, models.CASCADE, primary_key=True, related_name="application"
    )
    secret_hash = models.CharField(max_length=128, blank=True)
    # A token names the credential it came from and dies with it: renewed whenever issued tokens
    # must end. A name or a counter would let a re-created application revive old tokens.
    credential_id = models.UUIDField(default=uuid.uuid4)
    # The form submission that made the current secret: the same one again makes nothing.
    submission = models.UUIDField(null=True)
    # Name and creator as `search_text_of` makes it: what search looks in, alike on every database.
    # It begins with the name and a line feed, which comes before all that a name may hold, so its
    # order is that of the names.
    search_text = models.TextField(default="", editable=False)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    last_login = models.DateTimeField(null=True)
    # Copies to sort and filter a million rows by; `triggers` has the database keep them right. What
    # decides is the subject and its rules, never these.
    is_enabled = models.BooleanField(default=True, editable=False)
    first_rule = models.TextField(null=True, editable=False)  # noqa: DJ001  # there may be none
    # Seconds that its tokens live; the installation's setting where nothing is said.
    token_lifetime = models.PositiveIntegerField(null=True)

    # What Django and DRF ask of whoever made a request.
    is_authenticated = True
    is_anonymous = False

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(secret_hash="") | Q(secret_hash__startswith="$argon2id$"),  # noqa: S106
                name="application_secret_only_as_argon2id",
            ),
        ]
        # One for each order that the table has, with the tie-break of `runai_access.lists.keyset`.
        indexes = [
            models.Index(
                BinaryCollation(F("search_text")), F("subject"), name="application_by_name"
            ),
            models.Index(
                BinaryCollation(F("first_rule")), F("subject"), name="application_by_first_rule"
            ),
            models.Index(
                BinaryCollation(F("created_by")), F("subject"), name="application_by_creator"
            ),
            models.Index(fields=["created_at", "subject"], name="application_by_creation"),
            # These are filtered by as well: then what the list is usually sorted by is at hand.
            models.Index(
                fields=["updated_at", "subject", "created_at"], name="application_by_update"
            ),
            models.Index(
                fields=["last_login", "subject", "created_at"], name="application_by_login"
            ),
            models.Index(
                fields=["is_enabled", "subject", "created_at"], name="application_by_status"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.search_text = search_text_of(self.subject.name, self.created_by)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """Return the address of its own page."""
        return row_url("applications:detail", self.pk)

    @property
    def id(self) -> uuid.UUID:
        return self.subject_id

    @property
    def name(self) -> str:
        return self.subject.name

    @property
    def client_id(self) -> str:
        """The client ID equals the name."""
        return self.subject.name

    @property
    def enabled(self) -> bool:
        return self.subject.enabled

    def note_login(self) -> None:
        """Note that a token was granted, to the second; the same second is written once."""
        now = timezone.now().replace(microsecond=0)
        if self.last_login is None or self.last_login < now:
            earlier = Q(last_login=None) | Q(last_login__lt=now)
            Application.objects.filter(earlier, pk=self.pk).update(last_login=now)
            self.last_login = now


def search_text_of(name: str, created_by: str) -> str:
    """Return what is searched of an application: its name and its creator, folded, a line each.

    Each line has its end, so that a whole one is found by the index too. Neither ever changes, so it
    is made once, when the row is.
    """
    return f"{normalize(name)}\n{normalize(created_by)}\n"


class SigningKey(models.Model):
    """An ES256 key pair; the private half is encrypted under a key derived from SECRET_KEY.

    It is published when made and signs from `signs_from` on, so that every replica knows it by then.
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
    """A token that its application gave back before it expired (RFC 7009)."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.jti)
