"""What the cells of the tables of people and groups ask."""

from django import template

from accessrules.models import AccessRule
from runai_access.accounts.models import Group, User
from runai_access.accounts.tables import GroupTable, UserTable

register = template.Library()


@register.simple_tag
def rules_of(table: UserTable | GroupTable, row: User | Group) -> list[AccessRule]:
    """Return a row's own rules in sight; those that the table's search has found come first."""
    return table.rules_of(row)  # type: ignore[arg-type]  # a table's rows are of its own kind


@register.simple_tag
def groups_of(table: UserTable, user: User) -> list[str]:
    """Return the names of a person's groups in sight."""
    return table.groups_of(user)
