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
    line_matches,
    status_options,
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
    ONE_OF_FEW,
    STARTS_WITH,
    Choice,
    ExpiryFilter,
    FieldFilter,
    ListFilterSet,
    Operator,
    OptionsFilter,
    PlainTextFilter,
    TextFilter,
    TimeFilter,
    is_match,
)
from runai_access.lists.selection import ListFilter

MINE = Operator("mine", "is you or one of your groups")


class IndexedTextFilter(TextFilter):
    """A text that the search index has, after `start` and before `end`.

    Only if it `has_marks`, no other text of the index begins and ends like it.
    """

    start, end = "", ""
    has_marks = False

    def indexed(self, test: str, term: str) -> str:
        """Return what the index has of a text that starts with, ends with or is a term."""
        start = self.start if test in (IS.name, STARTS_WITH.name) else ""
        return f"{start}{term}{self.end if test in (IS.name, ENDS_WITH.name) else ''}"

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        longest = max(map(normalize, values), key=len)
        is_exact = self.has_marks and operator in (IS, STARTS_WITH) and len(values) == 1
        return keys_with_text(self.indexed(operator.name, longest), is_exact=is_exact)


class NameFilter(IndexedTextFilter):
    """Filters by name, which is the first line of the search text. Names are stored normalized."""

    end = "\n"

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        if test in (IS.name, STARTS_WITH.name):
            return starts_with("search_text", self.indexed(test, term))
        return line_matches(_NAME, test, term)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator in (IS, STARTS_WITH):
            named = self.condition(operator, values, context)
            return KeySubquery.of(Application.objects.filter(named))
        return super().keys(operator, values, context)


class ApplicationCreatorFilter(IndexedTextFilter):
    """Filters by creator, which follows the name in the search text."""

    start, end = "\n", "\n"
    has_marks = True

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        if test in (IS.name, STARTS_WITH.name):
            return Q(contains("search_text", self.indexed(test, term)))
        return line_matches(_CREATOR, test, term)


_END_OF_NAME = StrIndex(F("search_text"), Value("\n"))
_NAME = Substr(F("search_text"), Value(1), _END_OF_NAME - Value(1))
_CREATOR = Substr(
    F("search_text"), _END_OF_NAME + Value(1), Length("search_text") - _END_OF_NAME - Value(1)
)


class OwnerFilter(IndexedTextFilter):
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
        if operator not in (IS, STARTS_WITH):
            return super().keys(operator, values, context)
        longest = max(map(normalize, values), key=len)
        is_equal = Q(Exact(BinaryCollation(F("owner_name")), longest))
        named = is_equal if operator == IS else starts_with("owner_name", longest)
        return KeySubquery.of(Application.objects.filter(named), is_exact=len(values) == 1)

    def list_filter(
        self, operator: Operator, values: list[Any], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        if operator != NONE and operator.test != NEVER.name:
            return super().list_filter(operator, values, context, rows)
        condition = self.condition(operator, values, context)
        keys = KeySubquery.in_range(rows.filter(condition), "owner_name")
        return ListFilter(condition, keys, "owner_name")

    def words(self, operator: Operator, values: list[Any]) -> str:
        return super().words(operator, values) if operator.takes else ""


class DescriptionFilter(IndexedTextFilter):
    """Filters by a text in the description."""

    operators = (CONTAINS,)  # type: ignore[assignment]  # not the same number

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        return line_matches(normalized("description"), test, term)


class LabelFilter(IndexedTextFilter):
    """Filters by a whole label, `key=value`, or by the beginning of one, `key=`."""

    operators = (IS, IS_NOT, STARTS_WITH)  # type: ignore[assignment]  # not the same number
    start, end = LABEL_MARK, END_MARK
    has_marks = True

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        return Q(contains("searched_details", self.indexed(test, term)))


class ApplicationNoRulesFilter(NoRulesFilter):
    """Filters for applications without visible access rules."""

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        if not can_use_first_rule(context):
            return super().list_filter(operator, values, context, rows)
        return ListFilter(Q(first_rule=None), KeySubquery.of(rows.filter(first_rule=None)))


class ApplicationRoleFilter(HeldRoleFilter):
    """Filters by the roles of visible access rules."""

    def keys(self, operator: Operator, values: list[Choice], context: Authority) -> KeySubquery:
        return keys_by_rules(_rules(context), "role", primary_keys(values))


class ApplicationScopeFilter(HeldScopeFilter):
    """Filters by the scopes of visible access rules."""

    def keys(self, operator: Operator, values: list[Choice], context: Authority) -> KeySubquery:
        return keys_by_rules(_rules(context), "scope", primary_keys(values))


class ApplicationStatusFilter(OptionsFilter):
    """Filters by status: enabled, disabled, or contained, which are also disabled."""

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        chosen = {choice.value: choice for choice in values}
        if "disabled" in chosen:
            chosen.pop("contained", None)
        condition = self.condition(operator, list(chosen.values()), context)
        if "contained" not in chosen:
            in_range = KeySubquery.in_range(rows.filter(condition), "is_enabled")
            return ListFilter(condition, in_range, "is_enabled")
        keys = KeySubquery.of(rows.filter(condition)) if len(chosen) == 1 else None
        return ListFilter(condition, keys)


class DormancyTermFilter(FieldFilter):
    """Filters by what the dormancy policy did, compared as text."""

    indexed_column, is_partial = "dormancy", True

    def condition(self, operator: Operator, values: list[Any], context: Authority) -> Q:
        if operator.test == NEVER.name:
            return Q(dormancy__isnull=operator == NEVER)
        found = [one for one in Application.Dormancy.values if is_match(operator, one, values)]
        condition = Q(dormancy__in=found)
        return condition | Q(dormancy__isnull=True) if operator.negates else condition


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
        "status": ApplicationStatusFilter(
            status_options("is_enabled") | {"contained": ("Contained", ~Q(contained_at=None))},
            (ONE_OF_FEW,),
        ),
        "last_login": TimeFilter("last_login", can_be_never=True),
        "created_by": ApplicationCreatorFilter("creator", suggest=visible_user_emails),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
        "owner": OwnerFilter("owner_name", suggest=visible_owner_names),
        "description": DescriptionFilter("description"),
        "labels": LabelFilter("labels"),
        "client_secrets": OptionsFilter(
            {str(number): (str(number or "None"), Q(secret_count=number)) for number in range(5)}
            | {"5": ("5 or more", Q(secret_count__gte=5))},
            indexed_column="secret_count",
        ),
        "oldest_secret": TimeFilter("oldest_secret_at"),
        "next_expiry": SecretExpiryFilter("next_secret_expiry"),
        "dormancy": OptionsFilter(
            {value: (label, Q(dormancy=value)) for value, label in Application.Dormancy.choices},
            indexed_column="dormancy",
        ),
    }
    titles = {"client_id": "Client ID", "access_rules": "Access rule(s)"}


class TrashFilterSet(ListFilterSet):
    """The filters of the Trash table, by column."""

    field_filters = {
        "application": TextFilter("name"),
        "deleted": TimeFilter("deleted_at"),
        "deleted_by": PlainTextFilter("deleted_by"),
        "created_by": PlainTextFilter("created_by"),
        "creation_time": TimeFilter("created_at"),
    }
