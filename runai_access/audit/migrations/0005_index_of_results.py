"""Add the ID to the index of results, so that PostgreSQL reads it alone."""

from django.db import migrations, models

from runai_access.db.migrations import AddIndexWithoutBlocking, RemoveIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0004_sort_indexes")]

    operations = [
        AddIndexWithoutBlocking(
            "auditevent",
            models.Index(fields=["result", "time", "id", "action"], name="audit_by_result"),
        ),
        RemoveIndexWithoutBlocking("auditevent", "audit_result_time_action"),
    ]
