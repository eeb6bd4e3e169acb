"""The filters of the Applications table."""

from dataclasses import dataclass

from django.db.models import F, Q, Value
from django.db.models.functions import StrIndex, Substr
from django.db.models.lookups import GreaterThan

from accessrules.authorization.authority import Authority
from accessrules.console.filters.rules import primary_keys, visible_user_emails
from accessrules.console.filters.subjects import (
    HeldRoleFilter,
    HeldScopeFilter,
    NoRulesFilter,
    StatusFilter,
)
from accessrules.models import AccessRuleQuerySet
from applications.models import Application
from applications.search import (
    can_use_first_rule,
    has_text,
    keys_by_rules,
    keys_with_text,
)
from runai_access.db.expressions import starts_with
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize
from runai_access.lists.filters import (
    CONTAINS,
    IS_NOT,
    STARTS_WITH,
    Choice,
    ListFilterSet,
    Operator,
    TextFilter,
    TimeFilter,
)


@dataclass(frozen=True)
class NameFilter(TextFilter):
    """Filters by name, which is the first line of the search text. Names are stored normalized."""

    def condition(self, operator: Operator, values: list[str], context: Authority) -> Q:
        condition = Q()
        for value in map(normalize, values):
            if operator == CONTAINS:
                condition &= Q(GreaterThan(StrIndex(_NAME, Value(value)), 0))
            elif operator == STARTS_WITH:
                condition &= starts_with("search_text", value)
            else:
                is_name = starts_with("search_text", f"{value}\n")
                condition &= ~is_name if operator == IS_NOT else is_name
        return condition

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator == CONTAINS:
            return keys_with_text(max(map(normalize, values), key=len), is_exact=False)
        if operator == IS_NOT:
            return None
        return KeySubquery.of(Application.objects.filter(self.condition(operator, values, context)))


@dataclass(frozen=True)
class ApplicationCreatorFilter(TextFilter):
    """Filters by creator, which follows the name in the search text."""

    def condition(self, operator: Operator, values: list[str], context: Authority) -> Q:
        condition = Q()
        for value in map(normalize, values):
            if operator == CONTAINS:
                condition &= Q(GreaterThan(StrIndex(_CREATOR, Value(value)), 0))
            elif operator == STARTS_WITH:
                condition &= Q(has_text(f"\n{value}"))
            else:
                is_creator = Q(has_text(f"\n{value}\n"))
                condition &= ~is_creator if operator == IS_NOT else is_creator
        return condition

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator == IS_NOT:
            return None
        longest = max(map(normalize, values), key=len)
        if operator == CONTAINS:
            return keys_with_text(longest, is_exact=False)
        end = "" if operator == STARTS_WITH else "\n"
        return keys_with_text(f"\n{longest}{end}", is_exact=len(values) == 1)


_END_OF_NAME = StrIndex(F("search_text"), Value("\n"))
_NAME = Substr(F("search_text"), Value(1), _END_OF_NAME - Value(1))
_CREATOR = Substr(F("search_text"), _END_OF_NAME + Value(1))


class ApplicationNoRulesFilter(NoRulesFilter):
    """Filters for applications without visible access rules."""

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        if can_use_first_rule(context):
            return Q(first_rule=None)
        return super().condition(operator, values, context)

    def keys(
        self, operator: Operator, values: list[Choice], context: Authority
    ) -> KeySubquery | None:
        if can_use_first_rule(context):
            return KeySubquery.of(Application.objects.filter(first_rule=None))
        return None


class ApplicationRoleFilter(HeldRoleFilter):
    """Filters by the roles of visible access rules."""

    def keys(self, operator: Operator, values: list[Choice], context: Authority) -> KeySubquery:
        return keys_by_rules(_rules(context), "role", primary_keys(values))


class ApplicationScopeFilter(HeldScopeFilter):
    """Filters by the scopes of visible access rules."""

    def keys(self, operator: Operator, values: list[Choice], context: Authority) -> KeySubquery:
        return keys_by_rules(_rules(context), "scope", primary_keys(values))


class ApplicationStatusFilter(StatusFilter):
    """Filters by status: enabled or disabled."""

    indexed_column = "is_enabled"


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living()


class ApplicationFilterSet(ListFilterSet):
    """The filters of the Applications table, by column."""

    field_filters = {
        "application": NameFilter("name"),
        "client_id": NameFilter("name"),
        "access_rules": ApplicationNoRulesFilter(),
        "role": ApplicationRoleFilter(),
        "scope": ApplicationScopeFilter(),
        "status": ApplicationStatusFilter("is_enabled"),
        "last_login": TimeFilter("last_login", can_be_never=True),
        "created_by": ApplicationCreatorFilter("creator", suggest=visible_user_emails),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
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
