"""Access rules can expire."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0001_access_rules")]

    operations = [
        migrations.AddField(
            model_name="accessrule",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
