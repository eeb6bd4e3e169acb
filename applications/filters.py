"""The filters of the Applications table."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Length, StrIndex, Substr
from django.db.models.lookups import Exact, In

from accessrules.authorization.authority import Authority
from accessrules.filters.rules import visible_owner_names, visible_user_emails
from accessrules.filters.subjects import (
    HeldRoleFilter,
    HeldScopeFilter,
    NoRulesFilter,
    line_matches,
    status_options,
)
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
from runai_access.lists.filter_sets import ListFilterSet
from runai_access.lists.filters import (
    Choice,
    FieldFilter,
    OptionsFilter,
    PlainTextFilter,
    TextFilter,
)
from runai_access.lists.operators import (
    CONTAINS,
    ENDS_WITH,
    IS,
    IS_NOT,
    NEVER,
    NEXT_DAYS,
    NONE,
    ONE_OF_FEW,
    STARTS_WITH,
    Operator,
    is_match,
)
from runai_access.lists.selection import ListFilter
from runai_access.lists.time_filters import ExpiryFilter, TimeFilter

MINE = Operator("mine", "is you or one of your groups")
_END_OF_NAME = StrIndex(F("search_text"), Value("\n"))
_NAME = Substr(F("search_text"), Value(1), _END_OF_NAME - Value(1))
_CREATOR = Substr(
    F("search_text"), _END_OF_NAME + Value(1), Length("search_text") - _END_OF_NAME - Value(1)
)


@dataclass(frozen=True)
class IndexedTextFilter(TextFilter):
    """A text that the search index has, after `start` and before `end`; `line` is the text alone.

    If it is `marked_in` a column, no other text of the index begins and ends like it.
    """

    line: Combinable | None = None
    start: str = ""
    end: str = ""
    marked_in: str = ""
    operators: tuple[Operator, ...] = TextFilter.operators  # type: ignore[assignment]  # a field here

    def indexed(self, test: str, term: str) -> str:
        """Return what the index has of a text that starts with, ends with or is a term."""
        start = self.start if test in (IS.name, STARTS_WITH.name) else ""
        return f"{start}{term}{self.end if test in (IS.name, ENDS_WITH.name) else ''}"

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        if self.line is None or (self.marked_in and test in (IS.name, STARTS_WITH.name)):
            return Q(contains(self.marked_in, self.indexed(test, term)))
        return line_matches(self.line, test, term)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator.negates:
            return None
        longest = max(map(normalize, values), key=len)
        is_exact = bool(self.marked_in) and operator in (IS, STARTS_WITH) and len(values) == 1
        return keys_with_text(self.indexed(operator.name, longest), is_exact=is_exact)


class NameFilter(IndexedTextFilter):
    """Filters by name, which is the first line of the search text. Names are stored normalized."""

    def lookup(self, test: str, term: str, context: Authority) -> Q:
        if test in (IS.name, STARTS_WITH.name):
            return starts_with("search_text", self.indexed(test, term))
        return super().lookup(test, term, context)

    def keys(self, operator: Operator, values: list[str], context: Authority) -> KeySubquery | None:
        if operator in (IS, STARTS_WITH):
            named = self.condition(operator, values, context)
            return KeySubquery.of(Application.objects.filter(named))
        return super().keys(operator, values, context)


class OwnerFilter(IndexedTextFilter):
    """Filters by the name of the owner, a user or a group; or by what the caller owns."""

    has_binary_index = True

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

    def keys(self, operator: Operator, values: list[Any], context: Authority) -> KeySubquery | None:
        if operator == MINE:
            return KeySubquery.of(owned_by(context))
        if operator not in (IS, STARTS_WITH):
            return super().keys(operator, values, context)
        longest = max(map(normalize, values), key=len)
        is_equal = Q(Exact(BinaryCollation(F("owner_name")), longest))
        named = is_equal if operator == IS else starts_with("owner_name", longest)
        return KeySubquery.of(Application.objects.filter(named), is_exact=len(values) == 1)

    def range_column(self, operator: Operator) -> str:
        return "owner_name" if operator == NONE or operator.test == NEVER.name else ""


class ApplicationNoRulesFilter(NoRulesFilter):
    """Filters for applications without visible access rules."""

    def list_filter(
        self, operator: Operator, values: list[Choice], context: Authority, rows: QuerySet[Any]
    ) -> ListFilter:
        if not can_use_first_rule(context):
            return super().list_filter(operator, values, context, rows)
        return ListFilter(Q(first_rule=None), KeySubquery.of(rows.filter(first_rule=None)))


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
            enabled = KeySubquery.in_range(rows.filter(condition), "is_enabled")
            return ListFilter(condition, enabled, "is_enabled")
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


_NAME_FILTER = NameFilter("name", line=_NAME, end="\n")


class ApplicationFilterSet(ListFilterSet):
    """The filters of the Applications table, by column."""

    field_filters = {
        "application": _NAME_FILTER,
        "client_id": _NAME_FILTER,
        "access_rules": ApplicationNoRulesFilter(),
        "role": HeldRoleFilter(keys_by_rules),
        "scope": HeldScopeFilter(keys_by_rules),
        "status": ApplicationStatusFilter(
            status_options("is_enabled") | {"contained": ("Contained", ~Q(contained_at=None))},
            (ONE_OF_FEW,),
        ),
        "last_login": TimeFilter("last_login", can_be_never=True),
        "created_by": IndexedTextFilter(
            "creator", visible_user_emails, _CREATOR, start="\n", end="\n", marked_in="search_text"
        ),
        "creation_time": TimeFilter("created_at"),
        "last_updated": TimeFilter("updated_at"),
        "owner": OwnerFilter(
            "owner_name",
            visible_owner_names,
            SQLiteNoIndexHint(F("owner_name")),
            operators=(*TextFilter.operators, NONE, MINE),
        ),
        "description": IndexedTextFilter(
            "description", line=normalized("description"), operators=(CONTAINS,)
        ),
        "labels": IndexedTextFilter(  # a whole label, `key=value`, or the beginning of one
            "labels",
            start=LABEL_MARK,
            end=END_MARK,
            marked_in="searched_details",
            operators=(IS, IS_NOT, STARTS_WITH),
        ),
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
