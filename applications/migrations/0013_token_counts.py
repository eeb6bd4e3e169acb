"""Count the issued tokens per day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0012_deleted_application")]

    operations = [
        migrations.CreateModel(
            name="TokenCount",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("count", models.PositiveBigIntegerField()),
            ],
        ),
    ]
