"""The filters of the Users and Groups tables."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrules.authorization.authority import Authority
from accessrules.filters.rules import visible_user_emails
from accessrules.filters.subjects import (
    CreatorFilter,
    HeldRoleFilter,
    HeldScopeFilter,
    NoRulesFilter,
    StatusFilter,
)
from runai_access.accounts.mfa.factors import APP, PASSKEY
from runai_access.accounts.models import Group
from runai_access.accounts.policy import GROUPS, visible_memberships
from runai_access.db.normalization import normalize_term
from runai_access.lists.filters import (
    ANY_OF,
    NONE,
    ONE_OF_FEW,
    Choice,
    ChoiceFilter,
    ListFilterSet,
    Operator,
    PlainTextFilter,
    TextFilter,
    TimeFilter,
)

MAX_SUGGESTIONS = 50


class GroupFilter(ChoiceFilter):
    """Filters by visible groups, or by having none."""

    operators = (ANY_OF, NONE)
    has_search = True

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        groups = GROUPS.visible_rows(context).filter(
            normalized_name__contains=normalize_term(search)
        )
        return _group_choices(groups.order_by("normalized_name", "pk")[:MAX_SUGGESTIONS])

    def chosen(self, values: list[str], context: Authority) -> list[Choice]:
        return _group_choices(GROUPS.visible_rows(context).filter(pk__in=_uuids(values)))

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        memberships = visible_memberships(context).filter(member=OuterRef("pk"))
        if operator == NONE:
            return ~Q(Exists(memberships))
        chosen = [UUID(choice.value) for choice in values]
        return Q(Exists(memberships.filter(group__in=chosen)))


class PasswordFilter(ChoiceFilter):
    """Filters by password: set by the user, or temporary."""

    operators = (ONE_OF_FEW,)

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice("own", "Set by the user"), Choice("temporary", "Temporary")]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        chosen = [choice.value == "own" for choice in values]
        return Q(temporary_password_until__isnull=True in chosen) if len(chosen) == 1 else Q()


class _OneOfFewFilter(ChoiceFilter):
    """Filters by fixed choices: rows that meet the condition of one of those chosen."""

    operators = (ONE_OF_FEW,)
    labels: Mapping[str, str]

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(value, label) for value, label in self.labels.items()]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        met = [self.condition_of(choice.value) for choice in values]
        return reduce(or_, met, Q())

    def condition_of(self, value: str) -> Q:
        raise NotImplementedError


class SignInFilter(_OneOfFewFilter):
    """Filters by how users can sign in."""

    labels = {"password": "Password", "single-sign-on": "Single sign-on", "none": "None"}

    def condition_of(self, value: str) -> Q:
        has_password = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        is_connected = Q(Exists(SocialAccount.objects.filter(user=OuterRef("pk"))))
        if value == "none":
            return ~has_password & ~is_connected
        return has_password if value == "password" else is_connected


class FactorFilter(_OneOfFewFilter):
    """Filters by the kinds of second factors."""

    labels = {"passkey": "Passkey", "app": "Authenticator app", "none": "None"}
    types = {"passkey": [PASSKEY], "app": [APP], "none": [PASSKEY, APP]}

    def condition_of(self, value: str) -> Q:
        factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=self.types[value])
        return ~Q(Exists(factors)) if value == "none" else Q(Exists(factors))


def _group_choices(groups: QuerySet[Group]) -> list[Choice]:
    return [Choice(str(group.pk), group.name) for group in groups]


def _uuids(texts: list[str]) -> list[UUID]:
    ids = []
    for text in texts:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return ids


class UserFilterSet(ListFilterSet):
    """The filters of the Users table, by column."""

    field_filters = {
        "user": TextFilter("subject__normalized_name"),
        "display_name": PlainTextFilter("display_name"),
        "groups": GroupFilter(),
        "access_rules": NoRulesFilter(),
        "role": HeldRoleFilter(),
        "scope": HeldScopeFilter(),
        "status": StatusFilter(),
        "password": PasswordFilter(),
        "sign_in": SignInFilter(),
        "factors": FactorFilter(),
        "last_login": TimeFilter("last_login", can_be_never=True),
        "created_by": CreatorFilter("creator", suggest=visible_user_emails),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
    }
    titles = {
        "user": "User",
        "display_name": "Name",
        "groups": "Groups",
        "access_rules": "Access rule(s)",
        "role": "Role",
        "scope": "Scope",
        "status": "Status",
        "password": "Password",
        "sign_in": "Sign-in",
        "factors": "Second factors",
        "last_login": "Last login",
        "created_by": "Created by",
        "creation_time": "Creation time",
        "last_updated": "Last updated",
    }


class GroupFilterSet(ListFilterSet):
    """The filters of the Groups table, by column."""

    field_filters = {
        "group": TextFilter("normalized_name"),
        "access_rules": NoRulesFilter(),
        "role": HeldRoleFilter(),
        "scope": HeldScopeFilter(),
        "status": StatusFilter("enabled"),
    }
    titles = {
        "group": "Group",
        "access_rules": "Access rule(s)",
        "role": "Role",
        "scope": "Scope",
        "status": "Status",
    }
