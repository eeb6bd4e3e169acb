"""The table of the list of sessions."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="UserSession",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="user_session",
                        serialize=False,
                        to="sessions.session",
                    ),
                ),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("device", models.CharField(max_length=80)),
                ("started_at", models.DateTimeField()),
                ("last_seen", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
