"""The chain that vouches for the record, and a tag on every row that is ours."""

from typing import Any

from django.db import migrations, models

from runai_access.audit.chain import tag_of

CHUNK = 1000


def tag_rows(apps: Any, schema_editor: Any) -> None:
    """Give the rows from before their tag."""
    events = apps.get_model("audit", "AuditEvent").objects.using(schema_editor.connection.alias)
    past = 0
    while rows := list(events.filter(pk__gt=past).order_by("pk")[:CHUNK]):
        for row in rows:
            row.tag = tag_of(vars(row))
        events.bulk_update(rows, ["tag"])
        past = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                ("first_seal", models.BigIntegerField()),
                ("last_seal", models.BigIntegerField(primary_key=True, serialize=False)),
                ("events", models.BigIntegerField()),
                ("head", models.CharField(max_length=64)),
                ("file_name", models.CharField(max_length=255)),
                ("file_sha256", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("key_id", models.CharField(max_length=16)),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Leaving",
            fields=[("event_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sealed_at", models.DateTimeField()),
                ("newest", models.DateTimeField()),
                ("event_ids", models.TextField()),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("key_id", models.CharField(max_length=16)),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Unsealed",
            fields=[("event_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.AddField(
            model_name="auditevent",
            name="tag",
            field=models.CharField(db_default="", max_length=64),
        ),
        migrations.RunPython(tag_rows, migrations.RunPython.noop),
    ]
