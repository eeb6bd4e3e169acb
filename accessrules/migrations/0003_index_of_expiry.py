"""Index access rules by expiry."""

from django.db import migrations, models
from django.db.models import Q

from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accessrules", "0002_expiry_of_rules")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="accessrule",
            index=models.Index(
                fields=["expires_at", "id", "scope"],
                condition=Q(deleted_at=None),
                name="access_rule_by_expiry",
            ),
        ),
    ]
