"""Who holds roles: users, applications and groups."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact

from runai_access.db.expressions import BinaryCollation
from runai_access.db.normalization import normalize


class NormalizedField(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """The normalized form of the field `source`, for search, sorting and comparison.

    Migrations see a plain TextField, so they do not depend on this class.
    """

    def __init__(self, *, source: str = "", **options: Any) -> None:
        super().__init__(**{"default": "", "editable": False, **options})
        self.source = source

    def deconstruct(self) -> Any:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        normalized = normalize(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, normalized)
        return normalized


class SubjectQuerySet(models.QuerySet["Subject"]):
    def living(self) -> Self:
        return self.filter(retired_at=None)

    def same_name(self, name: str) -> Self:
        """Return the subjects whose names compare equal to `name`.

        Only databases of earlier versions can have more than one of a type.
        """
        return self.filter(Exact(BinaryCollation(F("normalized_name")), normalize(name)))

    def one_named(self, name: str) -> "Subject | None":
        """Return the subject with exactly this name, or else the only one whose name compares equal."""
        same = list(self.same_name(name).order_by("pk"))
        exact = [subject for subject in same if subject.name == name]
        return (exact or same)[0] if exact or len(same) == 1 else None


class Subject(models.Model):
    """A user, application or group: anything that can hold a role.

    Its owner (User, Application) uses its id as primary key. A retired subject is kept for the history
    of its rules. A new subject with the same name inherits nothing from it.
    """

    class Type(models.TextChoices):
        USER = "user", "User"
        APP = "app", "Application"
        GROUP = "group", "Group"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=8, choices=Type.choices)
    name = models.CharField(max_length=255)
    normalized_name = NormalizedField(source="name")
    enabled = models.BooleanField(default=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(BinaryCollation(F("normalized_name")), F("id"), name="subject_by_name")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "name"],
                condition=Q(retired_at=None),
                name="subject_name_unique_unless_retired",
            ),
            models.CheckConstraint(
                condition=Q(type__in=["user", "app", "group"]), name="subject_type_known"
            ),
            models.CheckConstraint(condition=Q(name__length__gte=1), name="subject_name_not_empty"),
            models.CheckConstraint(
                condition=Q(retired_at=None) | Q(enabled=False), name="subject_retired_is_disabled"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The type and name, for example "application ci-prod"."""
        return f"{self.get_type_display().lower()} {self.name}"


class GroupMembership(models.Model):
    """A subject's membership in a group. The group's access rules apply to its members immediately."""

    group = models.ForeignKey(Subject, models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Subject, models.CASCADE, related_name="group_memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "member"], name="membership_unique"),
            models.CheckConstraint(condition=~Q(group=F("member")), name="membership_not_self"),
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.group}"
