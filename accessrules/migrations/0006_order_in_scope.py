"""The index by scope tells in which order its rules are listed."""

from django.db import migrations, models
from django.db.models import F

from runai_access.ui.keyset import Bytewise


class Migration(migrations.Migration):
    dependencies = [("accessrules", "0005_scope_in_role_index")]

    operations = [
        migrations.RemoveIndex(model_name="accessrule", name="access_rule_in_scope"),
        migrations.AddIndex(
            model_name="accessrule",
            index=models.Index(
                F("scope"),
                F("deleted_at"),
                Bytewise(F("subject_name")),
                F("subject"),
                F("id"),
                F("role"),
                name="access_rule_in_scope",
            ),
        ),
    ]
