"""The tables of users, and of the networks that they signed in from."""

import uuid

from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accessrules", "0001_access_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "subject",
                    models.OneToOneField(
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="user",
                        serialize=False,
                        to="accessrules.subject",
                    ),
                ),
                ("email", models.EmailField(max_length=255, unique=True)),
                ("temporary_password_until", models.DateTimeField(blank=True, null=True)),
                ("sessions_id", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("submission", models.UUIDField(blank=True, null=True)),
                ("search_text", models.TextField(default="", editable=False)),
                ("created_by", models.CharField(max_length=255)),
                (
                    "created_at",
                    models.DateTimeField(db_index=True, default=timezone.now),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_index=True, default=timezone.now),
                ),
                ("last_login", models.DateTimeField(blank=True, db_index=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("accessrules.subject",),
        ),
        migrations.CreateModel(
            name="SignInNetwork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("network", models.CharField(max_length=43)),
                ("last_seen", models.DateTimeField(db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=models.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["user", "network"], name="sign_in_network_unique"
                    )
                ],
            },
        ),
    ]
