"""Copy the secret of each application to the table of client secrets.

Each batch is a transaction, so nothing is locked for long. An interrupted copy is repeated; it skips
what it has copied.
"""

from typing import Any
from uuid import UUID

from django.db import migrations

from applications.oauth.secrets import new_id
from runai_access.db.batches import ROWS_PER_BATCH


def copy_secrets(apps: Any, editor: Any) -> None:
    """Create a client secret of the old format for each application that has a secret.

    When it was created is unknown: not before the application, and not after its last change.
    """
    alias = editor.connection.alias
    secrets = apps.get_model("applications", "ClientSecret").objects.using(alias)
    applications = apps.get_model("applications", "Application").objects.using(alias)
    rows = applications.exclude(secret_hash="").order_by("pk")
    last = UUID(int=0)
    while batch := list(
        rows.filter(pk__gt=last).values_list("pk", "secret_hash", "created_by", "created_at")[
            :ROWS_PER_BATCH
        ]
    ):
        secrets.bulk_create(
            (
                secrets.model(
                    id=new_id(),
                    application_id=key,
                    secret_hash=secret_hash,
                    has_old_format=True,
                    created_by=created_by,
                    created_at=created_at,
                )
                for key, secret_hash, created_by, created_at in batch
            ),
            ignore_conflicts=True,
        )
        last = batch[-1][0]


def copy_back(apps: Any, editor: Any) -> None:
    """Copy the live secrets of the old format back; earlier releases can't use others."""
    alias = editor.connection.alias
    secrets = apps.get_model("applications", "ClientSecret").objects.using(alias)
    applications = apps.get_model("applications", "Application").objects.using(alias)
    for secret in secrets.filter(has_old_format=True, revoked_at=None).iterator(ROWS_PER_BATCH):
        applications.filter(pk=secret.application_id).update(secret_hash=secret.secret_hash)
    secrets.all().delete()


class Migration(migrations.Migration):
    atomic = False
    brief_because = "each batch is a transaction"
    dependencies = [("applications", "0003_client_secrets")]

    operations = [migrations.RunPython(copy_secrets, copy_back)]
