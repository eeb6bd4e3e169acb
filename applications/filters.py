"""The filters of the Applications table: which kind of thing each column holds."""

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import Contains, Exact, StartsWith

from accessrules.authorization import Authority
from accessrules.filters import RoleKind, ScopeKind, people_in_sight
from accessrules.models import AccessRuleQuerySet, Role
from runai_access.folding import fold
from runai_access.ui.filters import (
    ANY_OF,
    IS_NOT,
    NONE,
    ONE_OF_FEW,
    Choice,
    ChoiceKind,
    ListFilterSet,
    Operator,
    TextKind,
    TimeKind,
)


@dataclass(frozen=True)
class CreatorKind(TextKind):
    """Who created it: the second line of the search text, where it is kept folded."""

    def condition(self, operator: Operator, values: list[str], context: Authority) -> Q:
        line = Substr(F("search_text"), StrIndex(F("search_text"), Value("\n")) + Value(1))
        lookup = {"contains": Contains, "starts_with": StartsWith}.get(operator.name, Exact)
        condition = Q()
        for value in values:
            one = Q(lookup(line, fold(value)))
            condition &= ~one if operator == IS_NOT else one
        return condition


class RulesKind(ChoiceKind):
    """Whether it has any access rule in sight."""

    operators = (NONE,)

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return ~Q(Exists(_rules(context)))


class RuleRoleKind(RoleKind):
    """A role that one of its rules in sight gives."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.filter(assignable=True)]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))


class RuleScopeKind(ScopeKind):
    """A scope that one of its rules in sight holds in."""

    operators = (ANY_OF,)

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(super().condition(operator, values, context))))


class StatusKind(ChoiceKind):
    """Whether it may sign in."""

    operators = (ONE_OF_FEW,)

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice("enabled", "Enabled"), Choice("disabled", "Disabled")]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(subject__enabled__in=[choice.value == "enabled" for choice in values])


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().filter(subject=OuterRef("pk"))


class ApplicationFilterSet(ListFilterSet):
    """What applications may be filtered by."""

    kinds = {
        "application": TextKind("subject__name"),
        "client_id": TextKind("subject__name"),
        "access_rules": RulesKind(),
        "role": RuleRoleKind(),
        "scope": RuleScopeKind(),
        "status": StatusKind(),
        "last_login": TimeKind("last_login", may_be_never=True),
        "created_by": CreatorKind("creator", suggest=people_in_sight),
        "creation_time": TimeKind("created_at"),
        "last_updated": TimeKind("updated_at"),
    }
    titles = {
        "application": "Application",
        "client_id": "Client ID",
        "access_rules": "Access rule(s)",
        "role": "Role",
        "scope": "Scope",
        "status": "Status",
        "last_login": "Last login",
        "created_by": "Created by",
        "creation_time": "Creation time",
        "last_updated": "Last updated",
    }
