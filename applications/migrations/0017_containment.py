"""Applications that were contained because a client secret leaked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0016_indexes_of_dormancy")]

    operations = [
        migrations.AddField(
            model_name="application",
            name="contained_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="contained_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=255),
        ),
    ]
