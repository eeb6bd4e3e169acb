"""The indexes by which access rules are sorted tell the scope: whether a rule is in sight.

The one by role tells which rule it is, which those of SQLite always do.
"""

from django.db import migrations, models
from django.db.models import F, Q

from runai_access.db.expressions import BinaryCollation

_BY_TEXT = {
    "access_rule_by_subject": "subject_name",
    "access_rule_by_type": "subject_type",
    "access_rule_by_role": "role_name",
    "access_rule_by_scope": "scope_name",
    "access_rule_by_authorizer": "created_by",
}
_BY_TIME = {"access_rule_by_creation": "created_at", "access_rule_by_update": "updated_at"}
_LIVING = Q(deleted_at=None)

_INDEXES = [
    *(
        models.Index(BinaryCollation(F(column)), F("id"), F("scope"), name=name, condition=_LIVING)
        for name, column in _BY_TEXT.items()
    ),
    *(
        models.Index(fields=[column, "id", "scope"], name=name, condition=_LIVING)
        for name, column in _BY_TIME.items()
    ),
    models.Index(
        fields=["role", "deleted_at", "subject", "scope", "subject_type", "id"],
        name="access_rule_of_role",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0006_wider_indexes")]

    operations = [
        operation
        for index in _INDEXES
        for operation in (
            migrations.RemoveIndex(model_name="accessrule", name=index.name),
            migrations.AddIndex(model_name="accessrule", index=index),
        )
    ]
