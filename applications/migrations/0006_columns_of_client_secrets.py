"""Add the denormalized columns that lists of applications show, sort and filter client secrets by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0005_keep_secret_hash")]

    operations = [
        migrations.AddField(
            model_name="application",
            name="secret_count",
            field=models.SmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="application",
            name="oldest_secret_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="next_secret_expiry",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
