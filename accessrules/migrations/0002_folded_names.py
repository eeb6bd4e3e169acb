from typing import Any

from django.db import migrations, models

import accessrules.models
import runai_access.db.expressions
from runai_access.db.normalization import normalize

ROWS_AT_ONCE = 2_000


def fill(apps: Any, _: Any) -> None:
    """Give the subjects that are there their folded names."""
    subjects = apps.get_model("accessrules", "Subject").objects
    waiting = []
    for subject in subjects.only("name").iterator(chunk_size=ROWS_AT_ONCE):
        subject.folded_name = normalize(subject.name)
        waiting.append(subject)
        if len(waiting) == ROWS_AT_ONCE:
            subjects.bulk_update(waiting, ["folded_name"])
            waiting = []
    subjects.bulk_update(waiting, ["folded_name"])


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="subject",
            name="folded_name",
            field=accessrules.models.FoldedField(default="", editable=False, source="name"),
        ),
        migrations.AddIndex(
            model_name="subject",
            index=models.Index(
                runai_access.db.expressions.BinaryCollation(models.F("folded_name")),
                models.F("id"),
                name="subject_by_name",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
