"""Rules know when the application that holds them was created: the usual order of those that hold one
role, or something in one scope, is then one range of an index.

The column is filled afterwards, by the upkeep of `applications`.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0007_indexes_tell_more")]

    operations = [
        migrations.AddField(
            model_name="accessrule",
            name="holder_created_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RemoveIndex(model_name="accessrule", name="access_rule_of_role"),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                fields=[
                    "role", "deleted_at", "holder_created_at", "subject",
                    "scope", "subject_type", "id",
                ],
                name="access_rule_of_role",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                fields=["scope", "deleted_at", "holder_created_at", "subject"],
                name="access_rule_of_scope",
            ),
        ),
    ]  # fmt: skip
