"""The table of client secrets. An application had one, in a column."""

from django.db import migrations, models
from django.db.models import Q
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("applications", "0002_generated_triggers")]

    operations = [
        migrations.CreateModel(
            name="ClientSecret",
            fields=[
                ("id", models.CharField(max_length=12, primary_key=True, serialize=False)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=models.CASCADE,
                        related_name="secrets",
                        to="applications.application",
                    ),
                ),
                ("secret_hash", models.CharField(max_length=128)),
                ("has_old_format", models.BooleanField(default=False)),
                ("label", models.CharField(blank=True, default="", max_length=100)),
                ("created_by", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(default=timezone.now)),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(blank=True, default="", max_length=255)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-created_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(secret_hash__startswith="$argon2id$"),  # noqa: S106
                        name="client_secret_only_as_argon2id",
                    ),
                    models.UniqueConstraint(
                        fields=["application"],
                        condition=Q(has_old_format=True),
                        name="client_secret_one_of_old_format",
                    ),
                ],
            },
        ),
    ]
