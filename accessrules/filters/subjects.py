"""Filters on applications, users and groups: by access rules, status and creator.

The primary key of these rows is their subject's id.
"""

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import GreaterThan

from accessrules.authorization.authority import Authority
from accessrules.filters.rules import RoleFilter, ScopeFilter
from accessrules.models import AccessRuleQuerySet, Role
from runai_access.lists.filters import (
    CONTAINS,
    LOOKUPS,
    NONE,
    Choice,
    ChoiceFilter,
    Operator,
    TextFilter,
)


def line_matches(line: Combinable, test: str, term: str) -> Q:
    """Return the condition that a line contains, starts with, ends with or is a term."""
    if test == CONTAINS.name:
        return Q(GreaterThan(StrIndex(line, Value(term)), 0))  # faster than LIKE
    return Q(LOOKUPS[test](line, term))


class CreatorFilter(TextFilter):
    """Filters by creator: the second line of the search text, in normalized form."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        line = Substr(F("search_text"), StrIndex(F("search_text"), Value("\n")) + Value(1))
        return line_matches(line, test, term)


class NoRulesFilter(ChoiceFilter):
    """Filters for subjects without visible access rules."""

    operators = (NONE,)

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return ~Q(Exists(_rules(context)))


class HeldRoleFilter(RoleFilter):
    """Filters by the role of a visible rule."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.filter(assignable=True)]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))


class HeldScopeFilter(ScopeFilter):
    """Filters by the scope of a visible rule."""

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))


def status_options(path: str) -> dict[str, tuple[str, Q]]:
    """Return the options of a filter by status; `path` is the lookup of the `enabled` field."""
    # Unlike "=", IN is a range of a boolean column's index on SQLite.
    return {
        "enabled": ("Enabled", Q(**{f"{path}__in": [True]})),
        "disabled": ("Disabled", Q(**{f"{path}__in": [False]})),
    }


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().filter(subject=OuterRef("pk"))
