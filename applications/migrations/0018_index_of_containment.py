"""Index contained applications."""

from django.db import migrations, models
from django.db.models import Q

from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("applications", "0017_containment")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="application",
            index=models.Index(
                fields=["contained_at", "subject", "created_at"],
                condition=Q(contained_at__isnull=False),
                name="application_by_containment",
            ),
        ),
    ]
