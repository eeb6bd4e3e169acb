"""People."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils import timezone

from accessrules.models import Subject
from accessrules.validators import is_storable

EMAIL_MAX_LENGTH = 255


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().select_related("subject")

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """Return the one person of that e-mail, however it is spelled, or none."""
        return self.filter(email=normalise_email(email)) if is_storable(email) else self.none()

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


class User(AbstractBaseUser):
    """A person who signs in. The e-mail is the name; it never changes."""

    subject = models.OneToOneField(Subject, models.CASCADE, primary_key=True, related_name="user")
    email = models.EmailField(max_length=EMAIL_MAX_LENGTH, unique=True)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django has a field; ours is the subject's
        """Whether the person may sign in and stay signed in."""
        return self.subject.enabled


def is_email(text: str) -> bool:
    """Return whether a person could be called `text`."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def normalise_email(email: str) -> str:
    """Return the one spelling under which an e-mail is kept and looked up."""
    return email.strip().lower()
