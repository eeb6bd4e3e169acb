"""Index applications for the dormancy policy."""

from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("applications", "0015_dormancy")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="application",
            index=models.Index(
                Greatest(
                    Coalesce(F("last_login"), F("created_at")),
                    Coalesce(F("enabled_at"), F("created_at")),
                ),
                F("subject"),
                condition=Q(is_enabled=True, dormancy=None),
                name="application_by_unused_since",
            ),
        ),
        AddIndexWithoutBlocking(
            model_name="application",
            index=models.Index(
                fields=["dormancy", "dormancy_since", "subject", "created_at"],
                condition=Q(dormancy__isnull=False),
                name="application_by_dormancy",
            ),
        ),
    ]
