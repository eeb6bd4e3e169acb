"""Fill the columns of client secrets in batches, and index them.

The triggers maintain them from the end of `migrate` on. What is written until then is recomputed there.
"""

from typing import Any
from uuid import UUID

from django.db import migrations, models
from django.db.models import Count, Exists, Min, OuterRef, Subquery

from runai_access.db.batches import ROWS_PER_BATCH
from runai_access.db.migrations import AddIndexWithoutBlocking


def fill(apps: Any, editor: Any) -> None:
    """Set the columns of each application with secrets. Each batch is one statement."""
    alias = editor.connection.alias
    applications = apps.get_model("applications", "Application").objects.using(alias)
    secrets = apps.get_model("applications", "ClientSecret").objects.using(alias)
    of_application = secrets.filter(application=OuterRef("pk"), revoked_at=None).order_by()
    totals = of_application.values("application")
    having = applications.filter(Exists(of_application)).order_by("pk")
    last = UUID(int=0)
    while batch := list(having.filter(pk__gt=last).values_list("pk", flat=True)[:ROWS_PER_BATCH]):
        applications.filter(Exists(of_application), pk__gt=last, pk__lte=batch[-1]).update(
            secret_count=Subquery(totals.values(number=Count("pk"))),
            oldest_secret_at=Subquery(totals.values(oldest=Min("created_at"))),
            next_secret_expiry=Subquery(totals.values(first=Min("expires_at"))),
        )
        last = batch[-1]


def _index(field: str, name: str) -> AddIndexWithoutBlocking:
    return AddIndexWithoutBlocking(
        model_name="application",
        index=models.Index(fields=[field, "subject", "created_at"], name=name),
    )


class Migration(migrations.Migration):
    atomic = False
    brief_because = "each batch is a transaction"
    dependencies = [("applications", "0006_columns_of_client_secrets")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        _index("secret_count", "application_by_secrets"),
        _index("oldest_secret_at", "application_by_oldest_secret"),
        _index("next_secret_expiry", "application_by_secret_expiry"),
    ]
