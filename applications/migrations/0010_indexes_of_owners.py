"""Index applications by owner."""

from django.db import migrations, models
from django.db.models import F, Q

from runai_access.db.expressions import BinaryCollation
from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("applications", "0009_owner_description_labels")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="application",
            index=models.Index(
                BinaryCollation(F("owner_name")),
                F("subject"),
                F("created_at"),
                name="application_by_owner_name",
            ),
        ),
        AddIndexWithoutBlocking(
            model_name="application",
            index=models.Index(
                fields=["owner", "subject", "created_at"],
                condition=Q(owner__isnull=False),
                name="application_by_owner",
            ),
        ),
    ]
