"""The table of how users want tables to look."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TablePreference",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table", models.CharField(max_length=40)),
                ("columns", models.JSONField(default=list)),
                ("page_size", models.PositiveSmallIntegerField(default=20)),
                (
                    "density",
                    models.CharField(
                        choices=[("comfortable", "Comfortable"), ("compact", "Compact")],
                        default="comfortable",
                        max_length=12,
                    ),
                ),
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
                        fields=["user", "table"], name="table_preference_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(page_size__in=[20, 50, 100]),
                        name="table_preference_page_size_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(density__in=["comfortable", "compact"]),
                        name="table_preference_density_known",
                    ),
                ],
            },
        ),
    ]
