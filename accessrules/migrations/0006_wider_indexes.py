"""The indexes by subject, role and scope tell all that is asked of a rule, those by scope by name."""

from django.db import migrations, models
from django.db.models import F
from django.db.models.deletion import PROTECT
from django.db.models.expressions import Combinable

from runai_access.db.expressions import BinaryCollation

_OF_SUBJECT = ["subject", "deleted_at", "scope", "role"]
_OF_ROLE = ["role", "deleted_at", "subject", "scope", "subject_type"]
_IN_SCOPE: list[Combinable] = [
    F("scope"),
    F("deleted_at"),
    BinaryCollation(F("subject_name")),
    F("subject"),
    F("id"),
    F("role"),
    F("subject_type"),
]


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0005_scope_in_role_index")]

    operations = [
        migrations.RemoveIndex(model_name="accessrule", name="access_rule_in_scope"),
        migrations.RemoveIndex(model_name="accessrule", name="access_rule_of_role"),
        migrations.AlterField(
            model_name="accessrule",
            name="subject",
            field=models.ForeignKey(
                "accessrules.subject", PROTECT, related_name="access_rules", db_index=False
            ),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(fields=_OF_SUBJECT, name="access_rule_of_subject"),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(fields=_OF_ROLE, name="access_rule_of_role"),
        ),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(*_IN_SCOPE, name="access_rule_in_scope"),
        ),
    ]
