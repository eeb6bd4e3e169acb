"""The denormalized columns of access rules, so an index can sort and filter millions of rules."""

from runai_access.db.denormalization import copy

COLUMNS = [
    copy("accessrules_accessrule.subject_type", "accessrules_subject.type", by="subject_id = id"),
    copy(
        "accessrules_accessrule.subject_name",
        "accessrules_subject.normalized_name",
        by="subject_id = id",
    ),
    copy("accessrules_accessrule.role_name", "accessrules_role.name", by="role_id = id"),
    copy("accessrules_accessrule.scope_name", "accessrules_scope.name", by="scope_id = id"),
]
