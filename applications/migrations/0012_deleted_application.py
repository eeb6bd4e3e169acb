"""Keep deleted applications, so that they can be restored."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import runai_access.db.expressions


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0003_index_of_expiry"),
        ("applications", "0011_allowed_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeletedApplication",
            fields=[
                (
                    "subject",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="deleted_application",
                        serialize=False,
                        to="accessrules.subject",
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("was_enabled", models.BooleanField()),
                ("rules", models.JSONField(default=list)),
                ("created_by", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
                ("last_login", models.DateTimeField(null=True)),
                ("token_lifetime", models.PositiveIntegerField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accessrules.subject",
                    ),
                ),
                ("description", models.CharField(max_length=500)),
                ("labels", models.JSONField(default=dict)),
                ("allowed_addresses", models.TextField()),
                ("deleted_by", models.CharField(max_length=255)),
                ("deleted_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(
                        runai_access.db.expressions.BinaryCollation(models.F("name")),
                        models.F("subject"),
                        name="deleted_application_by_name",
                    ),
                    models.Index(
                        runai_access.db.expressions.BinaryCollation(models.F("created_by")),
                        models.F("subject"),
                        name="deleted_app_by_creator",
                    ),
                    models.Index(
                        runai_access.db.expressions.BinaryCollation(models.F("deleted_by")),
                        models.F("subject"),
                        name="deleted_app_by_deleter",
                    ),
                    models.Index(fields=["created_at", "subject"], name="deleted_app_by_creation"),
                    models.Index(fields=["deleted_at", "subject"], name="deleted_app_by_deletion"),
                ],
            },
        ),
    ]
