"""The denormalized columns of access rules, and the number of rules by role and scope.

The columns let an index sort and filter millions of rules; the numbers save counting them.
"""

# ruff: noqa: S608  # statements consist of constants

from django.db.backends.base.base import BaseDatabaseWrapper

from runai_access.db.denormalization import Action, copy
from runai_access.db.triggers import run

_RULES, _COUNTS = "accessrules_accessrule", "accessrules_rulecount"

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


def _change(row: str, number: int) -> str:
    return f"""INSERT INTO {_COUNTS} (role_id, scope_id, number)
        SELECT {row}.role_id, {row}.scope_id, {number} WHERE {row}.deleted_at IS NULL;"""


_GONE, _NEW = _change("OLD", -1), _change("NEW", 1)
# They record each change of the number of living rules in `RuleCount`.
COUNT_ACTIONS = [
    Action(_RULES, "AFTER INSERT", "rule_count", _NEW),
    Action(
        _RULES, "AFTER UPDATE", "rule_count", _GONE + _NEW, ["deleted_at", "role_id", "scope_id"]
    ),
    Action(_RULES, "AFTER DELETE", "rule_count", _GONE),
    Action(_RULES, "AFTER TRUNCATE", "rule_count", f"DELETE FROM {_COUNTS};"),
]


def correct_counts(connection: BaseDatabaseWrapper) -> None:
    """Add what is missing from the numbers.

    One statement sees a change of a rule together with what its trigger inserted, so rules need no
    lock. Two calls at the same time would add the same twice: only `migrate` calls it, under its lease.
    """
    run(
        connection,
        [
            f"""INSERT INTO {_COUNTS} (role_id, scope_id, number)
            SELECT role_id, scope_id, SUM(number) FROM (
                SELECT role_id, scope_id, COUNT(*) AS number FROM {_RULES}
                WHERE deleted_at IS NULL GROUP BY role_id, scope_id
                UNION ALL SELECT role_id, scope_id, -number FROM {_COUNTS}
            ) counted GROUP BY role_id, scope_id HAVING SUM(number) <> 0"""
        ],
    )
