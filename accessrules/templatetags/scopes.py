"""Template tags for rows of the scope tree, which have the same cells as the list."""

from django import template

from accessrules.authorization.scope_policy import PossibleActions
from accessrules.console.tables.scopes import ScopeTable
from accessrules.models import Scope
from runai_access.lists import rows

register = template.Library()


@register.simple_tag
def allowed_actions(table: ScopeTable, scope: Scope) -> PossibleActions:
    """Return the actions that the caller can perform on a visible scope."""
    return table.possible[scope.pk]


register.simple_tag(rows.naming_cell)
register.simple_tag(rows.other_cells)
register.simple_tag(rows.history_attribute)
