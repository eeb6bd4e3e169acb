"""Index deleted access rules."""

from django.db import migrations, models
from django.db.models import Q

from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accessrules", "0003_index_of_expiry")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="accessrule",
            index=models.Index(
                fields=[
                    "id",
                    "scope",
                    "role",
                    "subject_name",
                    "subject_type",
                    "created_by",
                    "created_at",
                    "updated_at",
                    "deleted_at",
                    "expires_at",
                ],
                condition=Q(deleted_at__isnull=False),
                name="access_rule_deleted",
            ),
        ),
    ]
