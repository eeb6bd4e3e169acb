"""The display name of users."""

from django.db import migrations, models
from django.db.models import Value


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_user_sessions"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="display_name",
            # A default in the database: servers of the previous version insert rows without it.
            field=models.CharField(blank=True, default="", db_default=Value(""), max_length=100),
        ),
    ]
