"""Filters on applications, users and groups: by access rules, status and creator.

The primary key of these rows is their subject's id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import GreaterThan

from accessrules.authorization.authority import Authority
from accessrules.filters.rules import ReferenceFilter, RoleFilter, ScopeFilter, primary_keys
from accessrules.models import AccessRuleQuerySet, Role
from runai_access.db.keys import KeySubquery
from runai_access.lists.filters import Choice, ChoiceFilter, TextFilter
from runai_access.lists.operators import CONTAINS, LOOKUPS, NONE, Operator


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


@dataclass(frozen=True)
class NoRulesFilter(ChoiceFilter):
    """Filters for subjects, or scopes, without visible access rules, which have them in `column`."""

    column: str = "subject"
    operators = (NONE,)

    def condition(self, operator: Operator, values: list[Any], context: Authority) -> Q:
        return ~Q(Exists(_rules(context, self.column)))


@dataclass(frozen=True)
class HeldFilter(ReferenceFilter):
    """Filters by what a visible rule refers to; `find` finds such subjects if an index has them."""

    find: Callable[[AccessRuleQuerySet, str, Sequence[int]], KeySubquery] | None = None

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))

    def keys(
        self, operator: Operator, values: list[Choice], context: Authority
    ) -> KeySubquery | None:
        rules = context.visible_rules().living()
        return self.find and self.find(rules, self.column, primary_keys(values))


class HeldRoleFilter(HeldFilter, RoleFilter):
    """Filters by the role of a visible rule."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.filter(assignable=True)]


class HeldScopeFilter(HeldFilter, ScopeFilter):
    """Filters by the scope of a visible rule."""


def status_options(path: str) -> dict[str, tuple[str, Q]]:
    """Return the options of a filter by status; `path` is the lookup of the `enabled` field."""
    # Unlike "=", IN is a range of a boolean column's index on SQLite.
    return {
        "enabled": ("Enabled", Q(**{f"{path}__in": [True]})),
        "disabled": ("Disabled", Q(**{f"{path}__in": [False]})),
    }


def _rules(authority: Authority, column: str = "subject") -> AccessRuleQuerySet:
    return authority.visible_rules().living().filter(**{column: OuterRef("pk")})
