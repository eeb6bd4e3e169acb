"""Index access rules in the default order of the API."""

from django.db import migrations, models
from django.db.models import Q

from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accessrules", "0005_rule_counts")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="accessrule",
            index=models.Index(
                fields=["id", "scope"], condition=Q(deleted_at=None), name="access_rule_by_id"
            ),
        ),
    ]
