"""The tables of the audit log. `runai_access.audit.guards` adds the triggers after each migration."""

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    initial = True

    dependencies = []

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
            name="PendingArchival",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
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
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("time", models.DateTimeField(db_index=True, default=timezone.now)),
                ("subject_type", models.CharField(max_length=16)),
                ("subject_id", models.UUIDField(null=True)),
                ("subject_name", models.CharField(max_length=255)),
                ("action", models.CharField(max_length=32)),
                ("entity_type", models.CharField(max_length=32)),
                ("entity_id", models.CharField(max_length=64)),
                ("entity_name", models.CharField(max_length=600)),
                (
                    "result",
                    models.CharField(
                        choices=[("Succeeded", "Succeeded"), ("Failed", "Failed")], max_length=16
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=600)),
                ("changes", models.JSONField(blank=True, default=dict)),
                ("source_ip", models.GenericIPAddressField(null=True)),
                ("http_method", models.CharField(blank=True, max_length=8)),
                ("path", models.CharField(blank=True, max_length=600)),
                ("request_id", models.UUIDField(null=True)),
                ("deduplication_key", models.CharField(max_length=64, null=True, unique=True)),
                ("tag", models.CharField(db_default="", max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["entity_type", "entity_id", "time"], name="audit_entity_time"
                    ),
                    models.Index(fields=["entity_type", "time"], name="audit_entity_type_time"),
                    models.Index(fields=["entity_name", "time"], name="audit_entity_name_time"),
                    models.Index(fields=["subject_id", "time"], name="audit_subject_time"),
                    models.Index(fields=["subject_name", "time"], name="audit_subject_name_time"),
                    models.Index(fields=["action", "time", "result"], name="audit_action_time"),
                    models.Index(fields=["result", "time"], name="audit_result_time"),
                    models.Index(fields=["source_ip", "time"], name="audit_source_ip_time"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(result__in=["Succeeded", "Failed"]),
                        name="audit_result_known",
                    )
                ],
            },
        ),
    ]
