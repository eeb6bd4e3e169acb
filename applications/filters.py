"""The filters of the Applications table: which kind of thing each column holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import Contains, Exact, StartsWith

from accessrules.authorization import Authority
from accessrules.models import AccessRuleQuerySet, Role, Scope, Subject
from accessrules.scope_tree import full_names
from runai_access.folding import fold
from runai_access.ui.filters import (
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

SUGGESTED = 200
OFFERED = 50


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


class RoleKind(ChoiceKind):
    """A role that one of its rules in sight gives."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.filter(assignable=True)]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(role__in=_numbers(values))))


class ScopeKind(ChoiceKind):
    """A scope that one of its rules in sight holds in."""

    has_search = True

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        scopes = self._scopes(context).order_by("depth", "name", "pk")
        term = fold(search)
        pks = [pk for pk, name in scopes.values_list("pk", "name") if term in fold(name)]
        return self._made(scopes.filter(pk__in=pks[:OFFERED]))

    def chosen(self, values: list[str], context: Authority) -> list[Choice]:
        pks = [int(text) for text in values if text.isascii() and text.isdecimal()]
        known = [pk for pk in pks if pk < 2**63]
        return self._made(self._scopes(context).filter(pk__in=known))

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(Exists(_rules(context).filter(scope__in=_numbers(values))))

    def _scopes(self, context: Authority) -> Any:
        return Scope.objects.offered().at_or_below(context.where("read", "access_rules"))

    def _made(self, scopes: Iterable[Scope]) -> list[Choice]:
        found = list(scopes)
        names = full_names(found)
        return [Choice(str(scope.pk), scope.name, names[scope.path]) for scope in found]


class StatusKind(ChoiceKind):
    """Whether it may sign in."""

    operators = (ONE_OF_FEW,)

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice("enabled", "Enabled"), Choice("disabled", "Disabled")]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(subject__enabled__in=[choice.value == "enabled" for choice in values])


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().filter(subject=OuterRef("pk"))


def _numbers(choices: Iterable[Choice]) -> list[int]:
    return [int(choice.value) for choice in choices]


def _people(authority: Authority) -> Iterable[str]:
    people = Subject.objects.living().filter(authority.in_sight("users"), type=Subject.Type.USER)
    if not authority.allows_anywhere("read", "users"):
        people = people.none()
    return people.order_by("name").values_list("name", flat=True)[:SUGGESTED]


class ApplicationFilterSet(ListFilterSet):
    """What applications may be filtered by."""

    kinds = {
        "application": TextKind("subject__name"),
        "client_id": TextKind("subject__name"),
        "access_rules": RulesKind(),
        "role": RoleKind(),
        "scope": ScopeKind(),
        "status": StatusKind(),
        "last_login": TimeKind("last_login", may_be_never=True),
        "created_by": CreatorKind("creator", suggest=_people),
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
