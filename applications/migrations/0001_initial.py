"""The tables of applications and signing keys, and the search index."""

import uuid
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, migrations, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from runai_access.db.expressions import BinaryCollation

NO_EXTENSION = (
    "Search needs PostgreSQL's extension pg_trgm, and creating it failed: {error}\n"
    "Ask an administrator of the database to run CREATE EXTENSION pg_trgm (it comes with PostgreSQL's "
    "contrib package), then start again."
)
CREATE_SEARCH_INDEX = {
    "sqlite": [
        """CREATE TABLE applications_search (
            id integer NOT NULL PRIMARY KEY, application_id char(32) NOT NULL UNIQUE
        )""",
        """CREATE VIRTUAL TABLE applications_search_index USING fts5 (
            text, content='', columnsize=0, tokenize='trigram case_sensitive 1'
        )""",
    ],
    "postgresql": [
        "CREATE TABLE applications_search (application_id uuid PRIMARY KEY, text text NOT NULL)",
        """CREATE INDEX applications_search_index ON applications_search
            USING gin (text gin_trgm_ops)""",
    ],
}
DROP_SEARCH_INDEX = {
    "sqlite": ["DROP TABLE applications_search_index", "DROP TABLE applications_search"],
    "postgresql": ["DROP TABLE applications_search"],
}


def create_search_index(_: Any, editor: Any) -> None:
    """Create the search index: FTS5 in SQLite, the extension pg_trgm in PostgreSQL."""
    if editor.connection.vendor == "postgresql":
        _create_extension(editor.connection)
    for statement in CREATE_SEARCH_INDEX[editor.connection.vendor]:
        editor.execute(statement)


def drop_search_index(_: Any, editor: Any) -> None:
    """Drop the search index; the extension stays, because others may use it."""
    for statement in DROP_SEARCH_INDEX[editor.connection.vendor]:
        editor.execute(statement)


def _create_extension(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone():
            return
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION pg_trgm")
        except DatabaseError as error:
            raise ImproperlyConfigured(NO_EXTENSION.format(error=str(error).strip())) from error


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accessrules", "0001_access_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="RevokedToken",
            fields=[
                ("jti", models.UUIDField(primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("kid", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("encrypted_private_key", models.BinaryField()),
                ("public_jwk", models.JSONField()),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("signs_from", models.DateTimeField(default=timezone.now)),
            ],
            options={
                "ordering": ["-signs_from", "kid"],
            },
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                (
                    "subject",
                    models.OneToOneField(
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="application",
                        serialize=False,
                        to="accessrules.subject",
                    ),
                ),
                ("secret_hash", models.CharField(blank=True, max_length=128)),
                ("credential_id", models.UUIDField(default=uuid.uuid4)),
                ("submission", models.UUIDField(null=True)),
                ("search_text", models.TextField(default="", editable=False)),
                ("created_by", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("updated_at", models.DateTimeField(default=timezone.now)),
                ("last_login", models.DateTimeField(null=True)),
                ("is_enabled", models.BooleanField(default=True, editable=False)),
                ("first_rule", models.TextField(editable=False, null=True)),
                ("token_lifetime", models.PositiveIntegerField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        BinaryCollation(F("search_text")),
                        F("subject"),
                        name="application_by_name",
                    ),
                    models.Index(
                        BinaryCollation(F("first_rule")),
                        F("subject"),
                        name="application_by_first_rule",
                    ),
                    models.Index(
                        BinaryCollation(F("created_by")),
                        F("subject"),
                        name="application_by_creator",
                    ),
                    models.Index(fields=["created_at", "subject"], name="application_by_creation"),
                    models.Index(
                        fields=["updated_at", "subject", "created_at"], name="application_by_update"
                    ),
                    models.Index(
                        fields=["last_login", "subject", "created_at"], name="application_by_login"
                    ),
                    models.Index(
                        fields=["is_enabled", "subject", "created_at"], name="application_by_status"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(secret_hash="") | Q(secret_hash__startswith="$argon2id$"),  # noqa: S106
                        name="application_secret_only_as_argon2id",
                    )
                ],
            },
        ),
        migrations.RunPython(create_search_index, drop_search_index),
    ]
