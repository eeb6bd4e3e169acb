from django.db import migrations, models

import runai_access.db.expressions


class Migration(migrations.Migration):
    dependencies = [
        ("accessrules", "0003_holders"),
    ]

    operations = [
        migrations.AddField(
            model_name="accessrule",
            name="role_name",
            field=models.TextField(db_default="", editable=False),
        ),
        migrations.AddField(
            model_name="accessrule",
            name="scope_name",
            field=models.TextField(db_default="", editable=False),
        ),
        migrations.AddField(
            model_name="accessrule",
            name="subject_name",
            field=models.TextField(db_default="", editable=False),
        ),
        migrations.AddField(
            model_name="accessrule",
            name="subject_type",
            field=models.CharField(db_default="", editable=False, max_length=8),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                runai_access.db.expressions.BinaryCollation(models.F("subject_name")),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="access_rule_by_subject",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                runai_access.db.expressions.BinaryCollation(models.F("subject_type")),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="access_rule_by_type",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                runai_access.db.expressions.BinaryCollation(models.F("role_name")),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="access_rule_by_role",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                runai_access.db.expressions.BinaryCollation(models.F("scope_name")),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="access_rule_by_scope",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                runai_access.db.expressions.BinaryCollation(models.F("created_by")),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="access_rule_by_authorizer",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["created_at", "id"],
                name="access_rule_by_creation",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["updated_at", "id"],
                name="access_rule_by_update",
            ),
        ),
    ]
