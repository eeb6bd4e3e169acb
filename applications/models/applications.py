"""Applications, and the texts by which they are found."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.functional import cached_property

from accessrules.models import Subject
from applications.models.client_secrets import ClientSecret, ClientSecretQuerySet
from applications.validators import DESCRIPTION_MAX_LENGTH
from runai_access.db.denormalization import denormalized
from runai_access.db.expressions import BinaryCollation
from runai_access.db.normalization import normalize
from runai_access.row_urls import row_url

# The marks of `searched_details_of`; `triggers.search_index` has one for the name of the owner.
DESCRIPTION_MARK, LABEL_MARK, END_MARK = "\x1d", "\x1e", "\x1f"
# The latest of creation, last login, and being enabled again. A login is all use except that of a
# secret without requesting a token: see `ClientSecret.last_used_at`.
UNUSED_SINCE = Greatest(
    Coalesce(F("last_login"), F("created_at")), Coalesce(F("enabled_at"), F("created_at"))
)


class Application(models.Model):
    """A pipeline or service that calls the API with a client ID, which is its name, and a secret.

    Deleting removes the row and its secrets. The subject is kept, retired.
    """

    class Dormancy(models.TextChoices):
        """What the dormancy policy did because nobody uses the application."""

        WARNED = "warned", "Warned"
        DISABLED = "disabled", "Disabled"

    subject = models.OneToOneField(
        Subject, models.CASCADE, primary_key=True, related_name="application"
    )
    # A token is valid only while it names this id and a live secret; a new id revokes all tokens.
    # A name or a counter would let a re-created application make old tokens valid again.
    credential_id = models.UUIDField(default=uuid.uuid4)
    # The form submission that created the newest secret. Submitting it again creates nothing.
    submission = models.UUIDField(null=True)
    # Searched text, from `search_text_of`. It starts with the name and a line feed, which sorts before
    # any character of a name, so sorting by this column sorts by name.
    search_text = models.TextField(default="", editable=False)
    # Searched text of description and labels, from `searched_details_of`.
    searched_details = models.TextField(default="", db_default="", editable=False)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    last_login = models.DateTimeField(null=True)
    # The user or group that is responsible. A retired one no longer counts: see `owner_name`.
    owner = models.ForeignKey(
        Subject, models.PROTECT, null=True, related_name="owned_applications", db_index=False
    )
    description = models.CharField(
        max_length=DESCRIPTION_MAX_LENGTH, blank=True, default="", db_default=""
    )
    # From key to value: {"env": "prod"} is shown as env=prod.
    labels = models.JSONField(blank=True, default=dict, db_default=Value({}, models.JSONField()))
    # The networks from which it can be used, separated by spaces; empty for all. See `addresses`.
    allowed_addresses = models.TextField(blank=True, default="", db_default="")
    # When and by whom it was contained because a client secret leaked. See `containment`.
    contained_at = models.DateTimeField(null=True)  # NULL: it is not
    contained_by = models.CharField(max_length=255, blank=True, default="", db_default="")
    # When it was last enabled or restored by someone; NULL: never since its creation.
    enabled_at = models.DateTimeField(null=True)
    # Set by `dormancy`, and since when. Enabling or disabling the application ends it.
    dormancy = models.CharField(  # noqa: DJ001  # most are NULL, which a partial index leaves out
        max_length=8, null=True, choices=Dormancy.choices
    )
    dormancy_since = models.DateTimeField(null=True)
    # Denormalized columns to sort and filter a million rows by. Triggers maintain them (see
    # `triggers`). Authorization never reads them.
    is_enabled = denormalized(models.BooleanField(default=True))
    first_rule = denormalized(models.TextField(null=True))  # NULL: no rule
    # The normalized name of the owner; NULL: no owner, or a retired one.
    owner_name = denormalized(models.TextField(null=True))
    # Of the secrets that are not revoked, so also of expired ones: their number, when the oldest was
    # created, and the first expiry.
    secret_count = denormalized(models.SmallIntegerField(default=0, db_default=0))
    oldest_secret_at = denormalized(models.DateTimeField(null=True))  # NULL: no secret
    next_secret_expiry = denormalized(models.DateTimeField(null=True))  # NULL: none expires
    # Lifetime of issued tokens in seconds; NULL for the default of the installation.
    token_lifetime = models.PositiveIntegerField(null=True)

    # Django and DRF require these of `request.user`.
    is_authenticated = True
    is_anonymous = False

    class Meta:
        # One for each sort of the list, with the tie-break of `runai_access.lists.sorts`.
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
            # These serve filters, too, so they include the default sort column of the list.
            models.Index(
                fields=["updated_at", "subject", "created_at"], name="application_by_update"
            ),
            models.Index(
                fields=["last_login", "subject", "created_at"], name="application_by_login"
            ),
            models.Index(
                fields=["is_enabled", "subject", "created_at"], name="application_by_status"
            ),
            models.Index(
                fields=["secret_count", "subject", "created_at"], name="application_by_secrets"
            ),
            models.Index(
                fields=["oldest_secret_at", "subject", "created_at"],
                name="application_by_oldest_secret",
            ),
            models.Index(
                fields=["next_secret_expiry", "subject", "created_at"],
                name="application_by_secret_expiry",
            ),
            models.Index(
                BinaryCollation(F("owner_name")),
                F("subject"),
                F("created_at"),
                name="application_by_owner_name",
            ),
            # Partial: most logins of applications without an owner then do not write to it.
            models.Index(
                fields=["owner", "subject", "created_at"],
                name="application_by_owner",
                condition=Q(owner__isnull=False),
            ),
            # Partial, too: hardly any application is contained.
            models.Index(
                fields=["contained_at", "subject", "created_at"],
                name="application_by_containment",
                condition=Q(contained_at__isnull=False),
            ),
            # For the dormancy policy: whom to warn next, and whom it has warned or disabled.
            models.Index(
                UNUSED_SINCE,
                F("subject"),
                name="application_by_unused_since",
                condition=Q(is_enabled=True, dormancy=None),
            ),
            models.Index(
                fields=["dormancy", "dormancy_since", "subject", "created_at"],
                name="application_by_dormancy",
                condition=Q(dormancy__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.search_text = search_text_of(self.subject.name, self.created_by)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """Return the URL of the application's page."""
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

    @property
    def living_owner(self) -> Subject | None:
        """The owner, unless it was deleted."""
        owner: Subject | None = self.owner
        return owner if owner is not None and owner.retired_at is None else None

    @property
    def living_owner_name(self) -> str | None:
        return self.living_owner.name if self.living_owner else None

    @property
    def living_owner_type(self) -> str | None:
        return self.living_owner.type if self.living_owner else None

    @property
    def networks(self) -> list[str]:
        """The networks from which the application can be used; empty for all."""
        return self.allowed_addresses.split()

    @property
    def label_texts(self) -> list[str]:
        """The labels as they are written, `key=value`, by key."""
        return label_texts(self.labels)

    def secrets_from_before_containment(self) -> ClientSecretQuerySet:
        """Return the live secrets that it had when it was contained: any of them can have leaked."""
        if self.contained_at is None:
            return ClientSecret.objects.none()
        return ClientSecret.objects.live().filter(
            application=self, created_at__lte=self.contained_at
        )

    def is_safely_contained(self) -> bool:
        """Whether containing it again would change nothing.

        It would if someone added a secret since, which can have leaked, too, or if a replica of an
        older release enabled it.
        """
        if self.contained_at is None or self.enabled:
            return False
        return not self.secrets.live().filter(created_at__gt=self.contained_at).exists()

    @cached_property
    def used_secret(self) -> ClientSecret:
        """The newest live secret, which a token is issued for unless a client has used another."""
        return self.secrets.live()[0]


def search_text_of(name: str, created_by: str) -> str:
    """Return the searched text of an application: normalized name and creator, one line each.

    Both lines end with a line feed, so the index can also find a whole line. Name and creator never
    change, so the text is set once, on creation.
    """
    return f"{normalize(name)}\n{normalize(created_by)}\n"


def searched_details_of(description: str, labels: Mapping[str, str]) -> str:
    """Return the searched text of the details of an application: each normalized, between two marks.

    The marks are control characters, which neither a detail nor a search contains. So the index can
    also find a whole label.
    """
    parts = [f"{DESCRIPTION_MARK}{normalize(description)}{END_MARK}"] if description else []
    parts += [f"{LABEL_MARK}{normalize(label)}{END_MARK}" for label in label_texts(labels)]
    return "".join(parts)


def label_texts(labels: Mapping[str, str]) -> list[str]:
    """Return labels as they are written, `key=value`, by key."""
    return [f"{key}={value}" for key, value in sorted(labels.items())]
