"""The database refuses changes to the record from here on, and notes new rows for the sealer."""

from itertools import islice
from typing import Any

from django.db import migrations

from runai_access.audit import guards
from runai_access.audit.chain import spans_in

CHUNK = 1000


def install(apps: Any, schema_editor: Any) -> None:
    """Put the guards in place; rows that no seal names yet wait for theirs like new ones."""
    _note_unsealed(apps, schema_editor.connection.alias)
    guards.install(schema_editor.connection)


def remove(_apps: Any, schema_editor: Any) -> None:
    guards.remove(schema_editor.connection)


def _note_unsealed(apps: Any, alias: str) -> None:
    event, seal, unsealed = (
        apps.get_model("audit", name).objects.using(alias)
        for name in ("AuditEvent", "Seal", "Unsealed")
    )
    known = set(unsealed.values_list("pk", flat=True))
    for ranges in seal.values_list("event_ids", flat=True).iterator():
        for first, last in spans_in(ranges):
            known.update(range(first, last + 1))
    ids = event.order_by("pk").values_list("pk", flat=True).iterator()
    fresh = (unsealed.model(event_id=id_) for id_ in ids if id_ not in known)
    while chunk := list(islice(fresh, CHUNK)):
        unsealed.bulk_create(chunk)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_seals")]

    operations = [migrations.RunPython(install, remove)]
