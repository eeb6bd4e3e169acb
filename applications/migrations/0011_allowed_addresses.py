"""Addresses from which an application can be used."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0010_indexes_of_owners")]

    operations = [
        migrations.AddField(
            model_name="application",
            name="allowed_addresses",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
