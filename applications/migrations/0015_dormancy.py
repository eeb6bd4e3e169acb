"""Add what the dormancy policy did, and when an application was enabled again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0014_index_of_secret_expiry")]

    operations = [
        migrations.AddField(
            model_name="application",
            name="enabled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="dormancy",
            field=models.CharField(
                choices=[("warned", "Warned"), ("disabled", "Disabled")], max_length=8, null=True
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="dormancy_since",
            field=models.DateTimeField(null=True),
        ),
    ]
