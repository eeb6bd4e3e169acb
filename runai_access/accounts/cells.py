"""The cells of the tables of people and groups."""

from typing import TYPE_CHECKING, Any

from accessrules.cells import first_rules
from runai_access.accounts.models import Group, User
from runai_access.lists.cells import named
from runai_access.ui.markup import badge, markup, muted

if TYPE_CHECKING:
    from runai_access.accounts.tables import GroupTable, UserTable


def user(record: User, table: "UserTable") -> str:
    """The email, which opens their page, and what is to know of them."""
    shown = named(record, table, record.email)
    if not record.must_choose_password:
        return shown
    state = badge("Password expired" if record.is_too_late else "Temporary password")
    return markup("{}\n{}", shown, state)


def groups(record: User, table: "UserTable") -> str:
    """Their groups in sight."""
    names = ", ".join(table.groups_of(record))
    return (
        markup('<span class="clip" title="{}">{}</span>', names, names) if names else muted("None")
    )


def group(record: Group, table: "GroupTable") -> str:
    """The name, which opens its page, and its state."""
    return named(record, table, record.name)


def members(record: Any, _: object) -> str:
    """How many members are in sight."""
    return str(record.member_count) if record.member_count else muted("None")


def user_rules(record: User, table: "UserTable") -> str:
    """The rules of their own, and the way to all that hold for them."""
    return _rules(record, record.email, table)


def group_rules(record: Group, table: "GroupTable") -> str:
    """Its rules, and the way to all of them."""
    return _rules(record, record.name, table)


def _rules(record: Any, name: str, table: Any) -> str:
    link = markup('href="{}#rules-title"', table.address_of(record))
    rules = table.rules_of(record)
    return first_rules(rules, name, link, table.search, sees_all=table.sees_all_rules)
