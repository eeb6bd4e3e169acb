"""Indexes for each sort of the audit log in the API: by a column, then by the time.

Text is sorted without regard to the case of ASCII letters. Three indexes become redundant.
"""

from typing import Any

from django.db import migrations, models
from django.db.models import F

from runai_access.audit.expressions import HttpMethod, SubjectType
from runai_access.db.migrations import AddIndexWithoutBlocking, RemoveIndexWithoutBlocking
from runai_access.db.normalization_sql import LowerAscii


def _index(by: Any, name: str) -> AddIndexWithoutBlocking:
    return AddIndexWithoutBlocking("auditevent", models.Index(by, F("time"), name=name))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0003_output_position")]

    operations = [
        _index(SubjectType("subject_type"), "audit_subject_type_time"),
        _index(HttpMethod(), "audit_http_method_time"),
        _index(LowerAscii(F("subject_name")), "audit_by_subject_name"),
        _index(LowerAscii(F("entity_name")), "audit_by_entity_name"),
        _index(LowerAscii(F("entity_id")), "audit_by_entity_id"),
        _index(LowerAscii(F("path")), "audit_by_path"),
        AddIndexWithoutBlocking(
            "auditevent",
            models.Index(fields=["result", "time", "action"], name="audit_result_time_action"),
        ),
        RemoveIndexWithoutBlocking("auditevent", "audit_result_time"),
        RemoveIndexWithoutBlocking("auditevent", "audit_entity_name_time"),
        RemoveIndexWithoutBlocking("auditevent", "audit_subject_name_time"),
    ]
