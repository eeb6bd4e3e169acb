"""Drop the column that the table of client secrets replaces."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0004_copy_client_secrets")]

    operations = [
        migrations.RemoveConstraint(
            model_name="application", name="application_secret_only_as_argon2id"
        ),
        # For the way back, which adds the column to rows that have no value for it.
        migrations.AlterField(
            model_name="application",
            name="secret_hash",
            field=models.CharField(blank=True, default="", max_length=128),
        ),
        migrations.RemoveField(model_name="application", name="secret_hash"),
    ]
