"""Names are compared in the form of `runai_access.db.normalization`.

Refreshes the stored copies that the earlier form made, and reports names that now count as the same.
It renames nothing: each pair stays as it is until somebody renames one of the two.
"""

from collections import defaultdict
from typing import Any

from django.db import migrations
from django.db.models import F

from runai_access.db.batches import recompute_in_batches
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import (
    create_in_postgresql,
    drop_in_postgresql,
    is_ascii,
)


def create_function(_: Any, schema_editor: Any) -> None:
    """Create the function that PostgreSQL normalizes text with."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(create_in_postgresql(), params=None)


def drop_function(_: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(drop_in_postgresql(), params=None)


def refresh(apps: Any, _: Any) -> None:
    """Normalize the copies of names again. The form of ASCII names has not changed."""
    subjects = apps.get_model("accessrules", "Subject").objects.exclude(is_ascii(F("name")))
    recompute_in_batches(subjects, "folded_name", lambda subject: normalize(subject.name))


def report(apps: Any, _: Any) -> None:
    """Print the living users, groups and sibling scopes whose names compare equal."""
    same: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    subjects = apps.get_model("accessrules", "Subject").objects.filter(retired_at=None)
    # Names of applications are lower-case ASCII, so different ones never compare equal.
    for type_, name in subjects.exclude(type="app").values_list("type", "name").iterator():
        same[f"{type_}s", normalize(name)].append(name)
    scopes = apps.get_model("accessrules", "Scope").objects.order_by("pk")
    names = scopes.values_list("parent__name", "parent", "name")
    for parent_name, parent, name in names.iterator():
        same[f"scopes below {parent_name} ({parent})", normalize(name)].append(name)
    pairs = [(where, found) for (where, _), found in same.items() if len(found) > 1]
    if pairs:
        print("\nThese names count as the same; rename all but one of each:")
    for where, found in pairs:
        print(f"  {where}: {', '.join(sorted(map(ascii, found)))}")


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0008_creation_of_holders"),
    ]

    operations = [
        migrations.RunPython(create_function, drop_function),
        migrations.RunPython(refresh, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(report, migrations.RunPython.noop, elidable=True),
    ]
