"""Users, groups, sessions, and the networks that users sign in from."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accessrules.models import Subject
from runai_access.accounts.validators import (
    DISPLAY_NAME_MAX_LENGTH,
    EMAIL_MAX_LENGTH,
    GROUP_VALUE_MAX_LENGTH,
)
from runai_access.db.expressions import BinaryCollation
from runai_access.db.normalization import is_storable, normalize, normalize_email, normalize_term
from runai_access.row_urls import row_url


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().select_related("subject")

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """Return the user with an email that compares equal to `email`, or no user.

        If an earlier version stored two emails that compare equal, only the exact one matches.
        """
        if not is_storable(email):
            return self.none()
        name = Exact(BinaryCollation(F("normalized_name")), normalize_term(email))
        same = Subject.objects.living().filter(name, type=Subject.Type.USER).order_by()
        is_only = ~Exists(same.exclude(pk=OuterRef("pk")))
        return self.filter(Q(email=normalize_email(email)) | is_only, subject__in=same)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalize_email(username or ""))


class GroupManager(models.Manager["Group"]):
    def get_queryset(self) -> models.QuerySet["Group"]:
        return super().get_queryset().filter(type=Subject.Type.GROUP, retired_at=None)

    def of(self, member: Subject) -> models.QuerySet["Group"]:
        """Return the groups that a subject is a member of, sorted by name."""
        return self.filter(memberships__member=member).order_by("normalized_name", "pk")


class Group(Subject):
    """A group that is not deleted. A group has no data besides its subject."""

    objects: ClassVar[GroupManager] = GroupManager()  # type: ignore[assignment]  # narrower than Subject's

    class Meta:
        proxy = True

    def get_absolute_url(self) -> str:
        """Return the URL of the group's page."""
        return row_url("groups:detail", self.pk)


class User(AbstractBaseUser):
    """A user who signs in with email and password. The email is the name and never changes."""

    subject = models.OneToOneField(Subject, models.CASCADE, primary_key=True, related_name="user")
    email = models.EmailField(max_length=EMAIL_MAX_LENGTH, unique=True)
    # For people to recognize; the email identifies the user. Can be empty.
    display_name = models.CharField(
        max_length=DISPLAY_NAME_MAX_LENGTH, default="", db_default=Value(""), blank=True
    )
    # Expiry of a temporary password, which an admin has seen; NULL for a password that the user chose.
    # With a temporary password the user can only choose a new one.
    temporary_password_until = models.DateTimeField(null=True, blank=True)
    # Whether the user can sign in with a password whatever RUNAI_ACCESS_LOCAL_SIGN_IN says.
    is_break_glass = models.BooleanField(default=False, db_default=False)
    # Part of the session hash; a new value ends all sessions of the user.
    sessions_id = models.UUIDField(default=uuid.uuid4, editable=False)
    # The form submission that created the temporary password. Submitting it again creates nothing.
    submission = models.UUIDField(null=True, blank=True)
    # Searched text, from `search_text_of`.
    search_text = models.TextField(default="", editable=False)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)
    last_login = models.DateTimeField(null=True, blank=True, db_index=True)

    # When the session's user last proved who they are; set by `sessions.note_use`, not stored here.
    authenticated_at: datetime | None = None

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        # The sorts of the list. The unique index of emails has the database's own collation.
        indexes = [
            models.Index(BinaryCollation(F(field)), F("subject"), name=f"user_by_{field}")
            for field in ("email", "display_name")
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.search_text = search_text_of(self.email, self.created_by, self.display_name)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """Return the URL of the user's page."""
        return row_url("users:detail", self.pk)

    def get_session_auth_hash(self) -> str:
        """Return the hash that a valid session contains (see `django.contrib.auth.get_user`)."""
        return self._session_hash()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the hash for each earlier secret key."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | bytes | None = None) -> str:
        value = f"{self.password}\x00{self.sessions_id}"
        return salted_hmac("runai-access session", value, secret, algorithm="sha256").hexdigest()

    @property
    def name(self) -> str:
        return self.email

    @property
    def enabled(self) -> bool:
        return self.subject.enabled

    @property
    def must_choose_password(self) -> bool:
        """Whether the user must replace a temporary password before anything else."""
        return self.temporary_password_until is not None

    @property
    def is_too_late(self) -> bool:
        """Whether the temporary password has expired."""
        return (
            self.temporary_password_until is not None
            and self.temporary_password_until <= timezone.now()
        )

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django has a field; ours is the subject's
        """Whether the user can sign in and stay signed in."""
        return self.subject.enabled


class SignInNetworkManager(models.Manager["SignInNetwork"]):
    def is_known(self, email: str, network: str) -> bool:
        """Return whether the user with this email recently signed in from `network`."""
        if not network or not is_storable(email):
            return False
        return self.filter(
            user__in=User.objects.with_email(email),
            network=network,
            last_seen__gt=self._oldest(timezone.now()),
        ).exists()

    def remember(self, user: User, network: str) -> None:
        """Store that `user` signed in from `network`, at most once a day."""
        now = timezone.now()
        recorded = self.filter(user=user, network=network, last_seen__gt=now - timedelta(days=1))
        if not network or recorded.exists():
            return
        self.bulk_create(
            [SignInNetwork(user=user, network=network, last_seen=now)],
            update_conflicts=True,
            unique_fields=["user", "network"],
            update_fields=["last_seen"],
        )

    def expired(self) -> models.QuerySet["SignInNetwork"]:
        """Return the networks whose last sign-in is older than SIGN_IN_NETWORK_DAYS."""
        return self.filter(last_seen__lte=self._oldest(timezone.now()))

    def _oldest(self, now: datetime) -> datetime:
        return now - timedelta(days=settings.SIGN_IN_NETWORK_DAYS)


class SignInNetwork(models.Model):
    """A network from which a user signed in. Failed sign-ins elsewhere do not lock it out."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    # From `throttles.network_of`: an IPv4 address or an IPv6 network.
    network = models.CharField(max_length=43)
    last_seen = models.DateTimeField(db_index=True)

    objects: ClassVar[SignInNetworkManager] = SignInNetworkManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "network"], name="sign_in_network_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} from {self.network}"


class UserSessionManager(models.Manager["UserSession"]):
    def store(self, row: "UserSession") -> None:
        """Insert the row, or update the row of the same session, which keeps its ID."""
        fields = ["user", "address", "device", "started_at", "last_seen"]
        self.bulk_create(
            [row], update_conflicts=True, unique_fields=["session"], update_fields=fields
        )

    def current(self, user: User) -> list["UserSession"]:
        """Return the user's valid sessions, the one used last first.

        A session of an earlier password still has a row, until it expires.
        """
        valid = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
        rows = self.filter(
            user=user, last_seen__gt=self.idle_since(), session__expire_date__gt=timezone.now()
        )
        return [
            row
            for row in rows.select_related("session").order_by("-last_seen", "pk")
            if row.session.get_decoded().get(HASH_SESSION_KEY) in valid
        ]

    def idle_since(self) -> datetime:
        """Return the time before which the last request of an idle session was."""
        return timezone.now() - timedelta(seconds=settings.SESSION_IDLE_SECONDS)


class UserSession(models.Model):
    """What the list of sessions shows of a session, and when the session was last used.

    Django's table holds the session. There is no database constraint between the two, because servers
    of version 0.1.0 delete sessions without knowing this table.
    """

    session = models.OneToOneField(
        Session, models.CASCADE, primary_key=True, db_constraint=False, related_name="user_session"
    )
    # For URLs: the session's key is a credential.
    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    address = models.GenericIPAddressField(null=True)
    # From `devices.describe_device`.
    device = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    # Exact to SESSION_PRECISION_SECONDS.
    last_seen = models.DateTimeField()

    objects: ClassVar[UserSessionManager] = UserSessionManager()

    def __str__(self) -> str:
        return f"{self.user} with {self.device}"


class GroupMapping(models.Model):
    """A value of the provider's groups claim. Users who have it are members of the group."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    value = models.CharField(max_length=GROUP_VALUE_MAX_LENGTH)
    group = models.ForeignKey(Group, models.CASCADE, related_name="mappings")
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["value", "group"], name="group_mapping_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.value} in {self.group}"


def search_text_of(email: str, created_by: str, display_name: str = "") -> str:
    """Return the searched text of a user: email and name in the first line, creator in the second."""
    names = normalize(f"{email} {display_name}".rstrip())
    return f"{names}\n{normalize(created_by)}"
