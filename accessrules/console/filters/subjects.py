"""What those who hold rules may be filtered by: their rules, their state, who created them.

"Those" are rows whose primary key is their subject's: applications, people, groups.
"""

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import Contains, Exact, StartsWith

from accessrules.authorization.authority import Authority
from accessrules.console.filters.rules import RoleFilter, ScopeFilter
from accessrules.models import AccessRuleQuerySet, Role
from runai_access.db.normalization import normalize
from runai_access.lists.filters import (
    ANY_OF,
    IS_NOT,
    NONE,
    ONE_OF_FEW,
    Choice,
    ChoiceFilter,
    Operator,
    TextFilter,
)


@dataclass(frozen=True)
class CreatorFilter(TextFilter):
    """Who created it: the second line of the search text, where it is kept folded."""

    def condition(self, operator: Operator, values: list[str], context: Authority) -> Q:
        line = Substr(F("search_text"), StrIndex(F("search_text"), Value("\n")) + Value(1))
        lookup = {"contains": Contains, "starts_with": StartsWith}.get(operator.name, Exact)
        condition = Q()
        for value in values:
            one = Q(lookup(line, normalize(value)))
            condition &= ~one if operator == IS_NOT else one
        return condition


class NoRulesFilter(ChoiceFilter):
    """Whether it has any access rule in sight."""

    operators = (NONE,)

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return ~Q(Exists(_rules(context)))


class HeldRoleFilter(RoleFilter):
    """A role that one of its rules in sight gives."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.filter(assignable=True)]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))


class HeldScopeFilter(ScopeFilter):
    """A scope that one of its rules in sight holds in."""

    operators = (ANY_OF,)

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))


@dataclass(frozen=True)
class StatusFilter(ChoiceFilter):
    """Whether it is enabled; `path` leads to where that is kept."""

    path: str = "subject__enabled"
    operators = (ONE_OF_FEW,)

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice("enabled", "Enabled"), Choice("disabled", "Disabled")]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(**{f"{self.path}__in": [choice.value == "enabled" for choice in values]})


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().filter(subject=OuterRef("pk"))
