"""Applications, their client secrets, the keys that sign their tokens, and revoked tokens."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.functional import cached_property

from accessrules.models import AccessRule, Subject
from applications.validators import DESCRIPTION_MAX_LENGTH
from runai_access.db.denormalization import denormalized
from runai_access.db.expressions import BinaryCollation
from runai_access.db.normalization import normalize
from runai_access.row_urls import row_url

LABEL_MAX_LENGTH = 100
# The marks of `searched_details_of`; `triggers.search_index` has one for the name of the owner.
DESCRIPTION_MARK, LABEL_MARK, END_MARK = "\x1d", "\x1e", "\x1f"
ADDRESS_MAX_LENGTH = 45
AGENT_MAX_LENGTH = 200
# The latest of creation, last login, and being enabled again. A login is all use except that of a
# secret without requesting a token: see `ClientSecret.last_used_at`.
UNUSED_SINCE = Greatest(
    Coalesce(F("last_login"), F("created_at")), Coalesce(F("enabled_at"), F("created_at"))
)
# How long a deleted application can be restored.
TRASH_DAYS = 30


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

    def secrets_from_before_containment(self) -> "ClientSecretQuerySet":
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
    def used_secret(self) -> "ClientSecret":
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
    application = models.ForeignKey(Application, models.CASCADE, related_name="secrets")
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


class DeletedRule(NamedTuple):
    """An access rule that was deleted with its application. Its role or scope can be gone, too."""

    role_id: int
    role: str
    scope_id: int
    scope: str
    expires: str | None  # in ISO 8601; None: never

    @property
    def expires_at(self) -> datetime | None:
        return datetime.fromisoformat(self.expires) if self.expires else None

    def __str__(self) -> str:
        return f"{self.role} in {self.scope}"


class DeletedApplicationQuerySet(models.QuerySet["DeletedApplication"]):
    """Deleted applications; a background job removes those that can no longer be restored."""

    def restorable(self) -> Self:
        return self.filter(deleted_at__gt=_trash_begin())

    def expired(self) -> Self:
        return self.filter(deleted_at__lte=_trash_begin())

    def keep(
        self, applications: Collection["DeletedApplication"], rules: Collection[AccessRule]
    ) -> None:
        """Store `applications` with `rules`, which were deleted with them."""
        rules_of: defaultdict[uuid.UUID, list[DeletedRule]] = defaultdict(list)
        for rule in rules:
            expires = rule.expires_at.isoformat() if rule.expires_at else None
            role, scope = rule.role, rule.scope
            kept = DeletedRule(role.pk, role.name, scope.pk, scope.label, expires)
            rules_of[rule.subject_id].append(kept)
        for application in applications:
            application.rules = rules_of[application.pk]
        self.bulk_create(applications)


# The fields of an application that restoring it brings back.
KEPT_FIELDS = (
    "created_by", "created_at", "last_login", "token_lifetime",
    "owner_id", "description", "labels", "allowed_addresses",
)  # fmt: skip


def _trash_begin() -> datetime:
    return timezone.now() - timedelta(days=TRASH_DAYS)


class DeletedApplication(models.Model):
    """What is kept of a deleted application for TRASH_DAYS, to restore it.

    Its subject is kept, retired. Its client secrets and tokens are not kept.
    """

    subject = models.OneToOneField(
        Subject, models.CASCADE, primary_key=True, related_name="deleted_application"
    )
    name = models.CharField(max_length=255)
    was_enabled = models.BooleanField()
    # `DeletedRule`s, as arrays.
    rules = models.JSONField(default=list)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    last_login = models.DateTimeField(null=True)
    token_lifetime = models.PositiveIntegerField(null=True)
    owner = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="+", db_index=False)
    description = models.CharField(max_length=DESCRIPTION_MAX_LENGTH)
    labels = models.JSONField(default=dict)
    allowed_addresses = models.TextField()
    deleted_by = models.CharField(max_length=255)
    deleted_at = models.DateTimeField(default=timezone.now)

    objects = DeletedApplicationQuerySet.as_manager()

    class Meta:
        # One for each sort of the list, with the tie-break of `runai_access.lists.sorts`.
        indexes = [
            models.Index(
                BinaryCollation(F("name")), F("subject"), name="deleted_application_by_name"
            ),
            models.Index(
                BinaryCollation(F("created_by")), F("subject"), name="deleted_app_by_creator"
            ),
            models.Index(
                BinaryCollation(F("deleted_by")), F("subject"), name="deleted_app_by_deleter"
            ),
            models.Index(fields=["created_at", "subject"], name="deleted_app_by_creation"),
            models.Index(fields=["deleted_at", "subject"], name="deleted_app_by_deletion"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def id(self) -> uuid.UUID:
        return self.subject_id

    @classmethod
    def of(cls, application: Application, *, deleted_by: str) -> Self:
        """Return a new, unsaved entry for an application that is about to be deleted."""
        return cls(
            subject_id=application.pk,
            name=application.name,
            was_enabled=application.enabled,
            deleted_by=deleted_by,
            **{name: getattr(application, name) for name in KEPT_FIELDS},
        )

    @property
    def deleted_rules(self) -> list[DeletedRule]:
        """The access rules that were deleted with the application."""
        return [DeletedRule(*values) for values in self.rules]

    @property
    def restorable_until(self) -> datetime:
        return self.deleted_at + timedelta(days=TRASH_DAYS)
