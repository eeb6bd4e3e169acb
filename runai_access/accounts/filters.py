"""The filters of the Users and Groups tables."""

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
    status_options,
)
from runai_access.accounts.mfa.factors import APP, PASSKEY
from runai_access.accounts.models import Group
from runai_access.accounts.policy import GROUPS, visible_memberships
from runai_access.db.normalization import normalize_term
from runai_access.lists.filter_sets import ListFilterSet
from runai_access.lists.filters import (
    Choice,
    ChoiceFilter,
    OptionsFilter,
    PlainTextFilter,
    TextFilter,
)
from runai_access.lists.listing import read_keys
from runai_access.lists.operators import ANY_OF, NONE, ONE_OF_FEW, Operator
from runai_access.lists.time_filters import TimeFilter

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
        keys, _ = read_keys(Group, values)
        return _group_choices(GROUPS.visible_rows(context).filter(pk__in=keys))

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        memberships = visible_memberships(context).filter(member=OuterRef("pk"))
        if operator == NONE:
            return ~Q(Exists(memberships))
        chosen = [UUID(choice.value) for choice in values]
        return Q(Exists(memberships.filter(group__in=chosen)))


_HAS_PASSWORD = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
_IS_CONNECTED = Q(Exists(SocialAccount.objects.filter(user=OuterRef("pk"))))


def _has_factor(*types: str) -> Q:
    return Q(Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=types)))


def _group_choices(groups: QuerySet[Group]) -> list[Choice]:
    return [Choice(str(group.pk), group.name) for group in groups]


class UserFilterSet(ListFilterSet):
    """The filters of the Users table, by column."""

    field_filters = {
        "user": PlainTextFilter("email"),
        "display_name": PlainTextFilter("display_name"),
        "groups": GroupFilter(),
        "access_rules": NoRulesFilter(),
        "role": HeldRoleFilter(),
        "scope": HeldScopeFilter(),
        "status": OptionsFilter(status_options("subject__enabled"), (ONE_OF_FEW,)),
        "password": OptionsFilter(
            {
                "own": ("Set by the user", Q(temporary_password_until=None)),
                "temporary": ("Temporary", ~Q(temporary_password_until=None)),
            },
            (ONE_OF_FEW,),
        ),
        "sign_in": OptionsFilter(
            {
                "password": ("Password", _HAS_PASSWORD),
                "single-sign-on": ("Single sign-on", _IS_CONNECTED),
                "none": ("None", ~_HAS_PASSWORD & ~_IS_CONNECTED),
            },
            (ONE_OF_FEW,),
        ),
        "factors": OptionsFilter(
            {
                "passkey": ("Passkey", _has_factor(PASSKEY)),
                "app": ("Authenticator app", _has_factor(APP)),
                "none": ("None", ~_has_factor(PASSKEY, APP)),
            },
            (ONE_OF_FEW,),
        ),
        "last_login": TimeFilter("last_login", can_be_never=True),
        "created_by": CreatorFilter("creator", suggest=visible_user_emails),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
    }
    titles = {
        "display_name": "Name",
        "access_rules": "Access rule(s)",
        "sign_in": "Sign-in",
        "factors": "Second factors",
    }


class GroupFilterSet(ListFilterSet):
    """The filters of the Groups table, by column."""

    field_filters = {
        "group": TextFilter("normalized_name"),
        "access_rules": NoRulesFilter(),
        "role": HeldRoleFilter(),
        "scope": HeldScopeFilter(),
        "status": OptionsFilter(status_options("enabled"), (ONE_OF_FEW,)),
    }
    titles = {"access_rules": "Access rule(s)"}
