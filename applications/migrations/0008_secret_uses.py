"""Record the use of client secrets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0007_fill_columns_of_client_secrets")]

    operations = [
        migrations.AddField(
            model_name="clientsecret",
            name="last_used_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="SecretUse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "secret",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="uses",
                        to="applications.clientsecret",
                    ),
                ),
                ("day", models.DateField(db_index=True)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("agent", models.CharField(blank=True, max_length=200)),
                ("count", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["secret", "day", "address", "agent"], name="secret_use_unique"
                    )
                ],
            },
        ),
    ]
