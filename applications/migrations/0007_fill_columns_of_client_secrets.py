"""Fill the columns of client secrets in batches, and index them.

The triggers maintain them from the end of `migrate` on. What is written until then is recomputed there.
"""

from typing import Any
from uuid import UUID

from django.db import migrations, models
from django.db.models import Count, Min

from runai_access.db.batches import ROWS_PER_BATCH
from runai_access.db.migrations import AddIndexWithoutBlocking

_COLUMNS = ["secret_count", "oldest_secret_at", "next_secret_expiry"]


def fill(apps: Any, editor: Any) -> None:
    """Set the columns of each application with secrets. Each batch is a transaction."""
    alias = editor.connection.alias
    applications = apps.get_model("applications", "Application").objects.using(alias)
    secrets = apps.get_model("applications", "ClientSecret").objects.using(alias)
    totals = (
        secrets.filter(revoked_at=None)
        .order_by("application")
        .values_list("application")
        .annotate(Count("pk"), Min("created_at"), Min("expires_at"))
    )
    last = UUID(int=0)
    while batch := list(totals.filter(application__gt=last)[:ROWS_PER_BATCH]):
        applications.bulk_update(
            (
                applications.model(
                    pk=key, secret_count=count, oldest_secret_at=oldest, next_secret_expiry=expiry
                )
                for key, count, oldest, expiry in batch
            ),
            _COLUMNS,
        )
        last = batch[-1][0]


def _index(field: str, name: str) -> AddIndexWithoutBlocking:
    return AddIndexWithoutBlocking(
        model_name="application",
        index=models.Index(fields=[field, "subject", "created_at"], name=name),
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("applications", "0006_columns_of_client_secrets")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        _index("secret_count", "application_by_secrets"),
        _index("oldest_secret_at", "application_by_oldest_secret"),
        _index("next_secret_expiry", "application_by_secret_expiry"),
    ]
