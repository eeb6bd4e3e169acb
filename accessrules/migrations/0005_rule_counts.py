"""Add the number of access rules by role and scope. Triggers maintain it.

When it is reversed, rules can't be changed until the end, when their triggers are removed.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0004_index_of_deleted_rules")]

    operations = [
        migrations.CreateModel(
            name="RuleCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                (
                    "role",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accessrules.role",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accessrules.scope",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["role", "scope", "id"], name="rule_count_by_role_and_scope"
                    )
                ],
            },
        ),
    ]
