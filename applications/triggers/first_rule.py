"""The SQL of the first access rule of an application, which both databases share."""


def first_rule_of(subject: str) -> str:
    """Return a subquery of the first rule of a subject, such as "Viewer in vision".

    `subject` is an SQL expression for the subject's id.
    """
    return f"""(
        SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
        JOIN accessrules_role role ON role.id = rule.role_id
        JOIN accessrules_scope scope ON scope.id = rule.scope_id
        WHERE rule.subject_id = {subject} AND rule.deleted_at IS NULL AND scope.depth > 0
        ORDER BY rule.id LIMIT 1
    )"""  # noqa: S608  # a constant
