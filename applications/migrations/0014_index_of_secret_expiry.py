"""Index client secrets by expiry."""

from django.db import migrations, models
from django.db.models import Q

from runai_access.db.migrations import AddIndexWithoutBlocking


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("applications", "0013_token_counts")]

    operations = [
        AddIndexWithoutBlocking(
            model_name="clientsecret",
            index=models.Index(
                fields=["expires_at", "application"],
                condition=Q(revoked_at=None, expires_at__isnull=False),
                name="client_secret_by_expiry",
            ),
        ),
    ]
