"""The filters of the Applications table."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Length, StrIndex, Substr
from django.db.models.lookups import Exact, In

from accessrules.authorization.authority import Authority
from accessrules.filters.rules import primary_keys, visible_owner_names, visible_user_emails
from accessrules.filters.subjects import (
    HeldRoleFilter,
    HeldScopeFilter,
    NoRulesFilter,
    StatusFilter,
    line_matches,
)
from accessrules.models import AccessRuleQuerySet
from applications.models import END_MARK, LABEL_MARK, Application, ClientSecret
from applications.search import (
    can_use_first_rule,
    contains,
    keys_by_rules,
    keys_with_text,
    owned_by,
)
from runai_access.db.expressions import BinaryCollation, SQLiteNoIndexHint, starts_with
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import normalized
from runai_access.lists.filters import (
    CONTAINS,
    ENDS_WITH,
    IS,
    IS_NOT,
    NEVER,
    NEXT_DAYS,
    NONE,
    STARTS_WITH,
    Choice,
    ChoiceFilter,
    ExpiryFilter,
    FieldFilter,
    ListFilterSet,
    Operator,
    PlainTextFilter,
    TextFilter,
    TimeFilter,
    is_match,
)
from runai_access.lists.selection import ListFilter

MINE = Operator("mine", "is you or one of your groups")


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
            return Q(contains("search_text", f"\n{term}"))
        if test == IS.name:
            return Q(contains("search_text", f"\n{term}\n"))
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


class OwnerFilter(TextFilter):
    """Filters by the name of the owner, a user or a group; or by what the caller owns."""

    operators = (CONTAINS, IS, IS_NOT, STARTS_WITH, NONE, MINE)  # type: ignore[assignment]  # not the same number

    def read(self, operator: Operator, text: str, context: Authority) -> Any:
        return text if operator.takes else True

    def condition(self, operator: Operator, values: list[Any], context: Authority) -> Q:
        if operator == MINE:
            # Computed, so that SQLite does not sort all that a large group owns.
            return Q(In(SQLiteNoIndexHint(F("owner")), context.owners()))
        if operator in (NONE, NEVER):
            return Q(owner_name__isnull=True)
        if operator.test == NEVER.name:
            # SQLite has no index range for IS NOT NULL.
            return Q(owner_name__isnull=False, owner_name__gte="")
        condition = super().condition(operator, values, context)
        return condition | Q(owner_name__isnull=True) if operator.negates else condition

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        return line_matches(SQLiteNoIndexHint(F("owner_name")), test, term)

    def keys(self, operator: Operator, values: list[Any], context: Authority) -> KeySubquery | None:
        if operator == MINE:
            return KeySubquery.of(owned_by(context))
        if operator.negates:
            return None
        longest = max(map(normalize, values), key=len)
        if operator in (CONTAINS, ENDS_WITH):
            return keys_with_text(longest, is_exact=False)
        is_equal = Q(Exact(BinaryCollation(F("owner_name")), longest))
        named = is_equal if operator == IS else starts_with("owner_name", longest)
        return KeySubquery.of(Application.objects.filter(named), is_exact=len(values) == 1)

    def list_filter(
        self, operator: Operator, values: list[Any], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        if operator != NONE and operator.test != NEVER.name:
            return super().list_filter(operator, values, context, rows)
        condition = self.condition(operator, values, context)
        return ListFilter(condition, KeySubquery.of(rows.filter(condition)), "owner_name")

    def words(self, operator: Operator, values: list[Any]) -> str:
        return super().words(operator, values) if operator.takes else ""


class DescriptionFilter(TextFilter):
    """Filters by a text in the description."""

    operators = (CONTAINS,)  # type: ignore[assignment]  # not the same number

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        return line_matches(normalized("description"), test, term)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        return keys_with_text(max(map(normalize, values), key=len), is_exact=False)


class LabelFilter(TextFilter):
    """Filters by a whole label, `key=value`, or by the beginning of one, `key=`."""

    operators = (IS, IS_NOT, STARTS_WITH)  # type: ignore[assignment]  # not the same number

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        end = END_MARK if test == IS.name else ""
        return Q(contains("searched_details", f"{LABEL_MARK}{term}{end}"))

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        end = END_MARK if operator == IS else ""
        longest = max(map(normalize, values), key=len)
        return keys_with_text(f"{LABEL_MARK}{longest}{end}", is_exact=len(values) == 1)


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


_CONTAINED = Choice("contained", "Contained")


class ApplicationStatusFilter(StatusFilter):
    """Filters by status: enabled, disabled, or contained, which are also disabled."""

    indexed_column = "is_enabled"

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [*super().choices(context, search), _CONTAINED]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        values = _without_redundant(values)
        others = [choice for choice in values if choice != _CONTAINED]
        condition = super().condition(operator, others, context)
        return condition | Q(contained_at__isnull=False) if _CONTAINED in values else condition

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        values = _without_redundant(values)
        if _CONTAINED not in values:
            return super().list_filter(operator, values, context, rows)
        condition = self.condition(operator, values, context)
        if len(values) > 1:
            return ListFilter(condition)
        return ListFilter(condition, KeySubquery.of(rows.filter(condition)))


def _without_redundant(values: list[Choice]) -> list[Choice]:
    """Return the statuses without “contained” if it adds nothing to “disabled”."""
    is_disabled = any(choice.value == "disabled" for choice in values)
    return [choice for choice in values if not is_disabled or choice != _CONTAINED]


class ContainmentTimeFilter(TimeFilter):
    """Filters by when an application was contained."""

    def list_filter(
        self, operator: Operator, values: list[Any], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        has_null = operator == NEVER or operator.negates == IS.name
        condition = self.condition(operator, values, context)
        return _partially_indexed(condition, rows, self.path, has_null=has_null)


class SecretCountFilter(ChoiceFilter):
    """Filters by the number of client secrets that are not revoked."""

    indexed_column = "secret_count"
    _MANY = 5

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [
            *(Choice(str(number), str(number or "None")) for number in range(self._MANY)),
            Choice(str(self._MANY), f"{self._MANY} or more"),
        ]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        numbers = {int(choice.value) for choice in values}
        condition = Q(secret_count__in=sorted(numbers - {self._MANY}))
        return condition | Q(secret_count__gte=self._MANY) if self._MANY in numbers else condition


class DormancyFilter(ChoiceFilter):
    """Filters by what the dormancy policy did."""

    indexed_column = "dormancy"

    def choices(self, context: Authority, search: str = "") -> list[Choice]:
        return [Choice(value, label) for value, label in Application.Dormancy.choices]

    def condition(self, operator: Operator, values: list[Choice], context: Authority) -> Q:
        return Q(dormancy__in=[choice.value for choice in values])


class DormancyTermFilter(FieldFilter):
    """Filters by what the dormancy policy did, compared as text."""

    def list_filter(
        self, operator: Operator, values: list[Any], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        if operator.test == NEVER.name:
            is_null = operator == NEVER
            condition = Q(dormancy__isnull=is_null)
            return _partially_indexed(condition, rows, "dormancy", has_null=is_null)
        term = normalize(values[0])
        found = [one for one in Application.Dormancy.values if is_match(operator, one, term)]
        condition = Q(dormancy__in=found)
        if operator.negates:
            condition |= Q(dormancy__isnull=True)
        return _partially_indexed(condition, rows, "dormancy", has_null=bool(operator.negates))


def _partially_indexed(
    condition: Q, rows: QuerySet[Any], column: str, *, has_null: bool
) -> ListFilter:
    """Return the filter by a column whose index leaves out NULL."""
    if has_null:  # nearly all rows
        return ListFilter(condition)
    return ListFilter(condition, KeySubquery.of(rows.filter(condition)), column)


class SecretExpiryFilter(ExpiryFilter):
    """Filters by the first expiry of a client secret; also by later ones for the next days.

    Otherwise an expired secret, such as a replaced one, would hide that the next one expires.
    """

    def list_filter(
        self, operator: Operator, values: list[Any], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        if operator != NEXT_DAYS:
            return super().list_filter(operator, values, context, rows)
        expiring = ClientSecret.objects.unrevoked().filter(
            ExpiryFilter("expires_at").condition(operator, values, context)
        )
        condition = Q(Exists(expiring.filter(application=OuterRef("pk"))))
        return ListFilter(condition, KeySubquery.of(expiring, "application"))


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
        "owner": OwnerFilter("owner_name", suggest=visible_owner_names),
        "description": DescriptionFilter("description"),
        "labels": LabelFilter("labels"),
        "client_secrets": SecretCountFilter(),
        "oldest_secret": TimeFilter("oldest_secret_at"),
        "next_expiry": SecretExpiryFilter("next_secret_expiry"),
        "dormancy": DormancyFilter(),
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
        "owner": "Owner",
        "description": "Description",
        "labels": "Labels",
        "client_secrets": "Client secrets",
        "oldest_secret": "Oldest secret",
        "next_expiry": "Next expiry",
        "dormancy": "Dormancy",
    }


class TrashFilterSet(ListFilterSet):
    """The filters of the Trash table, by column."""

    field_filters = {
        "application": TextFilter("name"),
        "deleted": TimeFilter("deleted_at"),
        "deleted_by": PlainTextFilter("deleted_by"),
        "created_by": PlainTextFilter("created_by"),
        "creation_time": TimeFilter("created_at"),
    }
    titles = {
        "application": "Application",
        "deleted": "Deleted",
        "deleted_by": "Deleted by",
        "created_by": "Created by",
        "creation_time": "Creation time",
    }
