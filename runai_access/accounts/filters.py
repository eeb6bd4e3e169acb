"""The filters of the tables of people and of groups."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrules.authorization.authority import Authority
from accessrules.console.filters.rules import people_in_sight
from accessrules.console.filters.subjects import (
    CreatorKind,
    HeldRoleKind,
    HeldScopeKind,
    NoRulesKind,
    StatusKind,
)
from runai_access.accounts.models import Group
from runai_access.accounts.policy import GROUPS, memberships_in_sight
from runai_access.db.normalization import normalize_term
from runai_access.lists.filters import (
    ANY_OF,
    NONE,
    ONE_OF_FEW,
    Choice,
    ChoiceKind,
    ListFilterSet,
    Operator,
    TextKind,
    TimeKind,
)

OFFERED = 50


class GroupKind(ChoiceKind):
    """A group in sight that they are a member of, or none."""

    operators = (ANY_OF, NONE)
    has_search = True

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        groups = GROUPS.in_sight(context).filter(normalized_name__contains=normalize_term(search))
        return _made(groups.order_by("normalized_name", "pk")[:OFFERED])

    def chosen(self, values: list[str], context: Authority) -> list[Choice]:
        return _made(GROUPS.in_sight(context).filter(pk__in=_ids(values)))

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        memberships = memberships_in_sight(context).filter(member=OuterRef("pk"))
        if operator == NONE:
            return ~Q(Exists(memberships))
        chosen = [UUID(choice.value) for choice in values]
        return Q(Exists(memberships.filter(group__in=chosen)))


class PasswordKind(ChoiceKind):
    """Whether the password is their own, or a temporary one that they have not replaced so far."""

    operators = (ONE_OF_FEW,)

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice("own", "Their own"), Choice("temporary", "Temporary")]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        chosen = [choice.value == "own" for choice in values]
        return Q(temporary_password_until__isnull=True in chosen) if len(chosen) == 1 else Q()


def _made(groups: QuerySet[Group]) -> list[Choice]:
    return [Choice(str(group.pk), group.name) for group in groups]


def _ids(texts: list[str]) -> list[UUID]:
    ids = []
    for text in texts:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return ids


class UserFilterSet(ListFilterSet):
    """What people may be filtered by."""

    kinds = {
        "user": TextKind("subject__normalized_name"),
        "groups": GroupKind(),
        "access_rules": NoRulesKind(),
        "role": HeldRoleKind(),
        "scope": HeldScopeKind(),
        "status": StatusKind(),
        "password": PasswordKind(),
        "last_login": TimeKind("last_login", may_be_never=True),
        "created_by": CreatorKind("creator", suggest=people_in_sight),
        "creation_time": TimeKind("created_at"),
        "last_updated": TimeKind("updated_at"),
    }
    titles = {
        "user": "User",
        "groups": "Groups",
        "access_rules": "Access rule(s)",
        "role": "Role",
        "scope": "Scope",
        "status": "Status",
        "password": "Password",
        "last_login": "Last login",
        "created_by": "Created by",
        "creation_time": "Creation time",
        "last_updated": "Last updated",
    }


class GroupFilterSet(ListFilterSet):
    """What groups may be filtered by."""

    kinds = {
        "group": TextKind("normalized_name"),
        "access_rules": NoRulesKind(),
        "role": HeldRoleKind(),
        "scope": HeldScopeKind(),
        "status": StatusKind("enabled"),
    }
    titles = {
        "group": "Group",
        "access_rules": "Access rule(s)",
        "role": "Role",
        "scope": "Scope",
        "status": "Status",
    }
