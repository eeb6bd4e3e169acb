"""The filters of the Applications table."""

from django.db.models import F, Q, Value
from django.db.models.functions import Length, StrIndex, Substr

from accessrules.authorization.authority import Authority
from accessrules.filters.rules import primary_keys, visible_user_emails
from accessrules.filters.subjects import (
    HeldRoleFilter,
    HeldScopeFilter,
    NoRulesFilter,
    StatusFilter,
    line_matches,
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
    ENDS_WITH,
    IS,
    STARTS_WITH,
    Choice,
    ListFilterSet,
    Operator,
    TextFilter,
    TimeFilter,
)


class NameFilter(TextFilter):
    """Filters by name, which is the first line of the search text. Names are stored normalized."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        if test == STARTS_WITH.name:
            return starts_with("search_text", term)
        if test == IS.name:
            return starts_with("search_text", f"{term}\n")
        return line_matches(_NAME, test, term)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        if operator in (CONTAINS, ENDS_WITH):
            return keys_with_text(_longest(operator, values), is_exact=False)
        return KeySubquery.of(Application.objects.filter(self.condition(operator, values, context)))


class ApplicationCreatorFilter(TextFilter):
    """Filters by creator, which follows the name in the search text."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        if test == STARTS_WITH.name:
            return Q(has_text(f"\n{term}"))
        if test == IS.name:
            return Q(has_text(f"\n{term}\n"))
        return line_matches(_CREATOR, test, term)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        longest = _longest(operator, values)
        if operator in (CONTAINS, ENDS_WITH):
            return keys_with_text(longest, is_exact=False)
        return keys_with_text(f"\n{longest}", is_exact=len(values) == 1)


def _longest(operator: Operator, values: list[str]) -> str:
    """Return the longest term, with the line feed after it if the line must end there."""
    end = "\n" if operator in (IS, ENDS_WITH) else ""
    return max(map(normalize, values), key=len) + end


_END_OF_NAME = StrIndex(F("search_text"), Value("\n"))
_NAME = Substr(F("search_text"), Value(1), _END_OF_NAME - Value(1))
_CREATOR = Substr(
    F("search_text"), _END_OF_NAME + Value(1), Length("search_text") - _END_OF_NAME - Value(1)
)


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
