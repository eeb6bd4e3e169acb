"""The index by role tells the scope as well."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0004_orders")]

    operations = [
        migrations.RemoveIndex(model_name="accessrule", name="access_rule_of_role"),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                fields=["role", "deleted_at", "subject", "scope"], name="access_rule_of_role"
            ),
        ),
    ]
