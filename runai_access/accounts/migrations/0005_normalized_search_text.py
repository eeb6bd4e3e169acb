"""Search texts in the compared form of `runai_access.db.normalization`."""

from typing import Any

from django.db import migrations
from django.db.models import F

from runai_access.db.batches import recompute_in_batches
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import is_ascii


def refresh(apps: Any, _: Any) -> None:
    """Normalize them again. The form of ASCII texts has not changed."""
    users = apps.get_model("accounts", "User").objects.exclude(is_ascii(F("search_text")))
    recompute_in_batches(
        users, "search_text", lambda user: f"{normalize(user.email)}\n{normalize(user.created_by)}"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0009_normalized_names"),
        ("accounts", "0004_sign_in_networks"),
    ]

    operations = [
        migrations.RunPython(refresh, migrations.RunPython.noop, elidable=True),
    ]
