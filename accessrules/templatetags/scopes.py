"""The rows of the tree of scopes: their cells are those of the list."""

from django import template
from django.utils.safestring import SafeString

from accessrules.authorization.scope_policy import PossibleActions
from accessrules.console.tables.scopes import ScopeTable
from accessrules.models import Scope
from runai_access.lists import rows

register = template.Library()


@register.simple_tag
def allowed_actions(table: ScopeTable, scope: Scope) -> PossibleActions:
    """Return what may be done with a scope that is in sight."""
    return table.possible[scope.pk]


@register.simple_tag
def naming_cell(table: ScopeTable, scope: Scope) -> str:
    """Show the name of a scope."""
    return rows.naming_cell(table, scope)


@register.simple_tag
def other_cells(table: ScopeTable, scope: Scope) -> SafeString:
    """Show what else the table says of it."""
    return rows.other_cells(table, scope)


register.simple_tag(rows.history_attribute)
