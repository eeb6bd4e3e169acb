"""Search texts in the compared form of `runai_access.db.normalization`."""

from typing import Any

from django.db import migrations
from django.db.models import F

from runai_access.db.batches import recompute_in_batches
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import is_ascii


def refresh(apps: Any, _: Any) -> None:
    """Normalize them again. The form of ASCII texts has not changed."""
    applications = apps.get_model("applications", "Application").objects.select_related("subject")
    recompute_in_batches(
        applications.exclude(is_ascii(F("search_text"))),
        "search_text",
        lambda one: f"{normalize(one.subject.name)}\n{normalize(one.created_by)}\n",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0009_normalized_names"),
        ("applications", "0008_search_in_its_own_table"),
    ]

    operations = [
        migrations.RunPython(refresh, migrations.RunPython.noop, elidable=True),
    ]
