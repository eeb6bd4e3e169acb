"""The cells of the table of scopes, in the tree and in the list."""

from typing import TYPE_CHECKING

from accessrules.models import Scope
from runai_access.db.row_urls import list_url, row_url
from runai_access.ui.markup import clip, marked, markup

if TYPE_CHECKING:
    from accessrules.console.tables.scopes import ScopeTable

_NOTHING = markup('<span class="nothing">\u2013</span>')


def name(scope: Scope, table: "ScopeTable") -> str:
    """The name of a scope; who may read access rules there is led to who can do what in it."""
    shown = marked(scope.name, table.search)
    if not table.possible[scope.pk].can_see_access:
        return markup('<span class="clip row-name" title="{}">{}</span>', scope.name, shown)
    url = row_url("accessrules:scope-access", scope.pk)
    return markup(
        '<a class="clip row-name" href="{}" title="{}" hx-boost="false">{}</a>',
        url, scope.name, shown,
    )  # fmt: skip


def scope_type(scope: Scope, _: object) -> str:
    """What kind of scope it is."""
    return scope.get_type_display()


def parent(scope: Scope, table: "ScopeTable") -> str:
    """The names from the account down to the scope that it stands below."""
    return clip(table.names_above.get(scope.pk) or "\u2014")


def scopes_below(scope: Scope, table: "ScopeTable") -> str:
    """How many scopes stand right below it, and of what type they are."""
    child = Scope.CHILD_TYPE.get(Scope.Type(scope.type))
    if child is None:
        return _NOTHING
    number = table.count_below.get(scope.pk, 0)
    return f"{number:,} {child.label.lower()}{'' if number == 1 else 's'}"


def rules(scope: Scope, table: "ScopeTable") -> str:
    """How many access rules name it; the way to them for those who may read them."""
    number = table.count_of_rules.get(scope.pk, 0)
    if not number or not table.possible[scope.pk].can_see_access:
        return f"{number:,}" if number else _NOTHING
    return markup(
        '<a class="rules-link" href="{}?scope__any_of={}" hx-boost="false"'
        ' aria-label="{} access rule{} in {}">{}</a>',
        list_url("accessrules:list"), scope.pk, number, "" if number == 1 else "s", scope.name,
        f"{number:,}",
    )  # fmt: skip


def uid(scope: Scope, table: "ScopeTable") -> str:
    """The id that the API shows."""
    return markup(
        '<code class="clip" title="{}">{}</code>', scope.uid, marked(scope.uid, table.search)
    )
