"""The tables of subjects, roles, scopes and access rules.

Not named 0001_initial, as the first release called the migration that it began with. Django therefore
refuses to run the first release on a database of a later one: it finds an inconsistent history, and
changes nothing. A database of the first release is upgraded by `runai_access.upgrade`.
"""

import uuid
from typing import Any

from django.db import migrations, models
from django.db.models import CASCADE, PROTECT, F, Q, Value
from django.utils import timezone

from runai_access.db.expressions import BinaryCollation
from runai_access.db.normalization_sql import create_in_postgresql, drop_in_postgresql


def create_function(_: Any, editor: Any) -> None:
    """Create the function that normalizes text in PostgreSQL."""
    if editor.connection.vendor == "postgresql":
        editor.execute(create_in_postgresql(), params=None)


def drop_function(_: Any, editor: Any) -> None:
    """Drop the function that normalizes text in PostgreSQL."""
    if editor.connection.vendor == "postgresql":
        editor.execute(drop_in_postgresql(), params=None)


def _sorted_by(column: str, name: str) -> models.Index:
    """Return the index that sorts rules by a text."""
    return models.Index(
        BinaryCollation(F(column)), F("id"), F("scope"), name=name, condition=Q(deleted_at=None)
    )


def _sorted_by_time(column: str, name: str) -> models.Index:
    return models.Index(fields=[column, "id", "scope"], name=name, condition=Q(deleted_at=None))


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunPython(create_function, drop_function),
        migrations.CreateModel(
            name="Subject",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("user", "User"), ("app", "Application"), ("group", "Group")],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("normalized_name", models.TextField(default="", editable=False)),
                ("enabled", models.BooleanField(default=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        BinaryCollation(F("normalized_name")), F("id"), name="subject_by_name"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["type", "name"],
                        condition=Q(retired_at=None),
                        name="subject_name_unique_unless_retired",
                    ),
                    models.CheckConstraint(
                        condition=Q(type__in=["user", "app", "group"]), name="subject_type_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(name__length__gte=1), name="subject_name_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=Q(retired_at=None) | Q(enabled=False),
                        name="subject_retired_is_disabled",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMembership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=CASCADE, related_name="memberships", to="accessrules.subject"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=CASCADE,
                        related_name="group_memberships",
                        to="accessrules.subject",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["group", "member"], name="membership_unique"),
                    models.CheckConstraint(
                        condition=~Q(group=F("member")), name="membership_not_self"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                ("id", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("description", models.TextField()),
                ("assignable", models.BooleanField(default=True)),
                ("permissions", models.JSONField(default=dict)),
                ("created_by", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("updated_at", models.DateTimeField(default=timezone.now)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="Scope",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("system", "System"),
                            ("tenant", "Account"),
                            ("cluster", "Cluster"),
                            ("department", "Department"),
                            ("project", "Project"),
                        ],
                        max_length=16,
                    ),
                ),
                ("uid", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=255)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=PROTECT,
                        related_name="children",
                        to="accessrules.scope",
                    ),
                ),
                ("parent_type", models.CharField(blank=True, max_length=16)),
                ("depth", models.PositiveSmallIntegerField()),
                ("path", models.CharField(max_length=80, unique=True)),
                ("created_by", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("updated_at", models.DateTimeField(default=timezone.now)),
            ],
            options={
                "ordering": ["path"],
                "constraints": [
                    models.UniqueConstraint(fields=["type", "uid"], name="scope_id_unique"),
                    models.UniqueConstraint(
                        fields=["parent", "name"], name="scope_name_unique_in_parent"
                    ),
                    models.UniqueConstraint(
                        fields=["type"],
                        condition=Q(type__in=["system", "tenant"]),
                        name="scope_one_system_one_account",
                    ),
                    models.CheckConstraint(
                        condition=Q(type="system", depth=0, parent=None, parent_type="")
                        | Q(type="tenant", depth=1, parent__isnull=False, parent_type="system")
                        | Q(type="cluster", depth=2, parent__isnull=False, parent_type="tenant")
                        | Q(type="department", depth=3, parent__isnull=False, parent_type="cluster")
                        | Q(
                            type="project", depth=4, parent__isnull=False, parent_type="department"
                        ),
                        name="scope_parent_type_matches",
                    ),
                    models.CheckConstraint(
                        condition=Q(path__length=(F("depth") + Value(1)) * Value(16)),
                        name="scope_path_matches_depth",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="access_rules",
                        to="accessrules.subject",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="access_rules",
                        to="accessrules.role",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="access_rules",
                        to="accessrules.scope",
                    ),
                ),
                ("created_by", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("updated_at", models.DateTimeField(default=timezone.now)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("subject_type", models.CharField(db_default="", editable=False, max_length=8)),
                ("subject_name", models.TextField(db_default="", editable=False)),
                ("role_name", models.TextField(db_default="", editable=False)),
                ("scope_name", models.TextField(db_default="", editable=False)),
                ("application_created_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        fields=["subject", "deleted_at", "scope", "role"],
                        name="access_rule_of_subject",
                    ),
                    models.Index(
                        fields=[
                            "role",
                            "deleted_at",
                            "application_created_at",
                            "subject",
                            "scope",
                            "subject_type",
                            "id",
                        ],
                        name="access_rule_of_role",
                    ),
                    models.Index(
                        fields=["scope", "deleted_at", "application_created_at", "subject"],
                        name="access_rule_of_scope",
                    ),
                    models.Index(
                        F("scope"),
                        F("deleted_at"),
                        BinaryCollation(F("subject_name")),
                        F("subject"),
                        F("id"),
                        F("role"),
                        F("subject_type"),
                        name="access_rule_in_scope",
                    ),
                    _sorted_by("subject_name", "access_rule_by_subject"),
                    _sorted_by("subject_type", "access_rule_by_type"),
                    _sorted_by("role_name", "access_rule_by_role"),
                    _sorted_by("scope_name", "access_rule_by_scope"),
                    _sorted_by("created_by", "access_rule_by_authorizer"),
                    _sorted_by_time("created_at", "access_rule_by_creation"),
                    _sorted_by_time("updated_at", "access_rule_by_update"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["subject", "role", "scope"],
                        condition=Q(deleted_at=None),
                        name="access_rule_unique_unless_deleted",
                    ),
                    models.CheckConstraint(
                        condition=Q(deleted_at=None) | Q(deleted_at__gte=F("created_at")),
                        name="access_rule_deleted_after_created",
                    ),
                ],
            },
        ),
    ]
