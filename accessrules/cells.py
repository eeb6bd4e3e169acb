"""The cells of the tables of access rules and roles, and the cell of rules in other tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from accessrules.console.tables.subject_links import subject_page
from accessrules.models import AccessRule, Role
from runai_access.db.row_urls import row_url
from runai_access.ui.markup import badge, marked, markup, muted

if TYPE_CHECKING:
    from accessrules.console.tables.rules import AccessRuleTable, RoleTable
    from accessrules.console.tables.subjects import NamedRule

_READ_OUT = 5


def subject(rule: AccessRule, table: "AccessRuleTable") -> str:
    """Who holds the rule; a link to its own page, where that may be read."""
    name, url = rule.subject.name, subject_page(rule, table.authority)
    shown = marked(name, table.search)
    if url:
        shown = markup('<a class="clip row-name" href="{}" title="{}">{}</a>', url, name, shown)
    else:
        shown = markup('<span class="clip row-name" title="{}">{}</span>', name, shown)
    return shown if rule.subject.enabled else markup("{}\n{}", shown, badge("Disabled"))


def subject_type(rule: AccessRule, _: object) -> str:
    """What holds the rule."""
    return rule.subject.get_type_display()


def role(rule: AccessRule, table: "AccessRuleTable") -> str:
    """The role; a link to what it permits, for those who may read roles."""
    name = marked(rule.role.name, table.search)
    if not table.can_read_roles:
        return markup('<span class="clip">{}</span>', name)
    url = row_url("roles:detail", rule.role_id)
    return markup('<a class="clip cell-link" href="{}">{}</a>', url, name)


def scope(rule: AccessRule, table: "AccessRuleTable") -> str:
    """The scope, with its full path behind it."""
    return markup(
        '<span class="clip" title="{}">{} <span class="muted">{}</span></span>',
        table.full_names.get(rule.scope.path, rule.scope.name),
        marked(rule.scope.name, table.search), rule.scope.get_type_display(),
    )  # fmt: skip


def role_name(role: Role, table: "RoleTable") -> str:
    """The name of a role, which opens its page."""
    return markup(
        '<a class="clip row-name" href="{}">{}</a>',
        table.address_of(role), marked(role.name, table.search),
    )  # fmt: skip


def description(role: Role, table: "RoleTable") -> str:
    """What a role is for."""
    text = role.description
    shown = marked(text, table.search)
    return markup('<span class="description" title="{}">{}</span>', text, shown)


def offered(role: Role, _: object) -> str:
    """Whether it is offered for new rules."""
    return "Yes" if role.assignable else "No"


def first_rules(
    rules: Sequence["NamedRule"], holder: str, link: SafeString, search: str, *, sees_all: bool
) -> SafeString:
    """Show the first rule (two where there is room), the count of the rest, and the way to all.

    `link` are the attributes of the link, `holder` is the name of who holds the rules.
    """
    aloud = ", ".join([f"{rule.role} in {rule.scope}" for rule in rules[:_READ_OUT]])
    if rules:
        shown = [_shown(rule, search) for rule in rules[:2]]
        rest = [number for number in (len(rules) - 1, len(rules) - 2) if number > 0]
        return markup(_SOME[len(rest)], link, holder, aloud, *shown, *rest)
    return markup(_NONE, link, holder, muted("None" if sees_all else "None in sight"))


def _shown(rule: "NamedRule", search: str) -> str:
    if not search:
        return f"{rule.role} in {rule.scope}"
    return markup("{} in {}", marked(rule.role, search), marked(rule.scope, search))


# The cell of somebody with one rule, with two, and with more.
_LINK = '<a class="rules-link" {} aria-label="Access rules of {}: {}">\n'
_SECOND = '<span class="clip">{}<span class="second-rule">, {}</span></span>'
_AND_ONE = '\n<span class="more more-than-one">+{}</span>'
_AND_TWO = '\n<span class="more more-than-two">+{}</span>'
_NONE = '<a class="rules-link" {} aria-label="Access rules of {}: none">\n{}\n</a>'
_SOME = (
    _LINK + '<span class="clip">{}</span>\n</a>',
    _LINK + _SECOND + _AND_ONE + "\n</a>",
    _LINK + _SECOND + _AND_ONE + _AND_TWO + "\n</a>",
)
