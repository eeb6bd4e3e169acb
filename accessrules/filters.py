"""What access rules, and what is known by them, may be filtered by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accessrules.authorization import Authority
from accessrules.models import Role, Scope, Subject, at_or_below
from accessrules.scope_tree import full_names
from accessrules.search import roles_named
from runai_access.folding import fold
from runai_access.ui.filters import (
    ANY_OF,
    IS_NOT,
    Choice,
    ChoiceKind,
    ListFilterSet,
    Operator,
    TextKind,
    TimeKind,
)

SUGGESTED = 200
OFFERED = 50
WITHIN = Operator("within", "is in or below any of", "choices")


class RoleKind(ChoiceKind):
    """A role."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(str(role.pk), role.name) for role in Role.objects.all()]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(role__in=numbers(values))


class ScopeKind(ChoiceKind):
    """A scope whose access rules the caller may read."""

    operators: tuple[Operator, ...] = (ANY_OF, WITHIN)
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
        if operator == WITHIN:
            scopes = self._scopes(context).filter(pk__in=numbers(values))
            return at_or_below(scopes.values_list("path", flat=True), "scope__path")
        return Q(scope__in=numbers(values))

    def _scopes(self, context: Authority) -> Any:
        return Scope.objects.offered().at_or_below(context.where("read", "access_rules"))

    def _made(self, scopes: Iterable[Scope]) -> list[Choice]:
        found = list(scopes)
        names = full_names(found)
        return [Choice(str(scope.pk), scope.name, names[scope.path]) for scope in found]


class SubjectTypeKind(ChoiceKind):
    """An application, a user or a group."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(value, label) for value, label in Subject.Type.choices]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(subject__type__in=[choice.value for choice in values])


@dataclass(frozen=True)
class AuthorizerKind(TextKind):
    """Who authorized it: names are kept in lower case, which folding changes for a few letters."""

    def condition(self, operator: Operator, values: list[str], context: Authority) -> Q:
        condition = Q()
        for value in values:
            lower = self.lookup(operator, value.lower())
            one = lower | self.lookup(operator, fold(value))
            condition &= ~one if operator == IS_NOT else one
        return condition


class RoleNameKind(TextKind):
    """A role by its name. Roles are few, so their names are folded and compared here."""

    def condition(self, operator: Operator, values: list[str], context: Authority) -> Q:
        condition = Q()
        for value in values:
            named = Q(pk__in=_matching(operator, fold(value)))
            condition &= ~named if operator == IS_NOT else named
        return condition


def _matching(operator: Operator, term: str) -> list[int]:
    if operator.name == "contains":
        return roles_named(term)
    names = {pk: fold(name) for pk, name in Role.objects.values_list("pk", "name")}
    if operator.name == "starts_with":
        return [pk for pk, name in names.items() if name.startswith(term)]
    return [pk for pk, name in names.items() if name == term]


class OfferedKind(ChoiceKind):
    """Whether a role is offered for new rules."""

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice("yes", "Yes"), Choice("no", "No")]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(assignable__in=[choice.value == "yes" for choice in values])


def numbers(choices: Iterable[Choice]) -> list[int]:
    """Return the choices' values as primary keys."""
    return [int(choice.value) for choice in choices]


def people_in_sight(authority: Authority) -> Iterable[str]:
    """Suggest people by their e-mail."""
    people = Subject.objects.living().filter(authority.in_sight("users"), type=Subject.Type.USER)
    if not authority.allows_anywhere("read", "users"):
        people = people.none()
    return people.order_by("name").values_list("name", flat=True)[:SUGGESTED]


class AccessRuleFilterSet(ListFilterSet):
    """What access rules may be filtered by."""

    kinds = {
        "subject": TextKind("subject__folded_name"),
        "type": SubjectTypeKind(),
        "role": RoleKind(),
        "scope": ScopeKind(),
        "authorized_by": AuthorizerKind("created_by", suggest=people_in_sight),
        "creation_time": TimeKind("created_at"),
        "last_updated": TimeKind("updated_at"),
    }
    titles = {
        "subject": "Subject",
        "type": "Type",
        "role": "Role",
        "scope": "Scope",
        "authorized_by": "Authorized by",
        "creation_time": "Creation time",
        "last_updated": "Last updated",
    }


class RoleFilterSet(ListFilterSet):
    """What roles may be filtered by."""

    kinds = {
        "role": RoleNameKind("name"),
        "offered": OfferedKind(),
        "last_updated": TimeKind("updated_at"),
    }
    titles = {"role": "Role", "offered": "Offered", "last_updated": "Last updated"}
