"""Filters by column and operator, on top of django-filter: "Last login is before 1 Oct 2026".

A filter set has a `FieldFilter` for each column, which defines the operators, parses their values and
builds the condition. In a URL a filter is `column__operator=value`. Repeated values are combined with
AND, those of "any of" with OR. Values that cannot be parsed are ignored and reported.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.db.models.lookups import Contains, EndsWith, Exact, StartsWith
from django.forms.utils import pretty_name
from django.utils import timezone

from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import is_storable, normalize
from runai_access.db.normalization_sql import normalized
from runai_access.lists.selection import ListFilter
from runai_access.lists.times import date_text, time_text, zone_label

MAX_VALUES = 50
_MAX_VALUE_LENGTH = 300
_MAX_DAYS = 36_500
_LAST = datetime.max.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Operator:
    """A comparison operator.

    `takes` is the input of its value: text, date, moment, days, choices, or "" for none; `suffix`
    follows days. A negated operator matches the rows that the operator named `negates` does not.
    """

    name: str
    words: str
    takes: str = ""
    negates: str = ""
    suffix: str = ""

    @property
    def label(self) -> str:
        """The words, with a place for the value if they surround it."""
        return f"{self.words} … days{self.suffix}" if self.takes == "days" else self.words

    @property
    def test(self) -> str:
        """The name of the comparison, without a negation."""
        return self.negates or self.name


CONTAINS = Operator("contains", "contains", "text")
IS = Operator("is", "is", "text")
IS_NOT = Operator("is_not", "is not", "text", negates="is")
STARTS_WITH = Operator("starts_with", "starts with", "text")
# Only the API has these.
NOT_CONTAINS = Operator("not_contains", "does not contain", "text", negates="contains")
ENDS_WITH = Operator("ends_with", "ends with", "text")
AT_LEAST = Operator("at_least", "is at least")
AT_MOST = Operator("at_most", "is at most")
EVER = Operator("ever", "is not never", negates="never")
BEFORE = Operator("before", "is before", "date")
AFTER = Operator("after", "is after", "date")
LAST_DAYS = Operator("last_days", "is in the last", "days")
NEXT_DAYS = Operator("next_days", "is in the next", "days")
DAYS_AGO = Operator("days_ago", "is more than", "days", suffix=" ago")
PAST = Operator("past", "is in the past")
NEVER = Operator("never", "is never")
SINCE = Operator("since", "is since", "moment")
UNTIL = Operator("until", "is until", "moment")
ANY_OF = Operator("any_of", "is any of", "choices")
NONE = Operator("none", "is none")
ONE_OF_FEW = Operator("is", "is", "choices")


class FieldFilter:
    """The filter of one column: its operators and the conditions they stand for."""

    operators: tuple[Operator, ...] = ()
    # The column on whose index the condition is a single range, if there is one. A partial index
    # leaves out NULL, a binary one has texts in the order of their bytes.
    indexed_column = ""
    is_partial = False
    has_binary_index = False

    def operator(self, name: str) -> Operator | None:
        return next((operator for operator in self.operators if operator.name == name), None)

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        """Parse the value of an operator; raise ValidationError with a sentence for the user."""
        return text

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        """Return the condition for these values; `context` is the caller's authority."""
        raise NotImplementedError

    def keys(self, operator: Operator, values: list[Any], context: Any) -> KeySubquery | None:
        """Return the keys of matching rows if an index has them, else None."""
        return None

    def range_column(self, operator: Operator) -> str:
        """Return `indexed_column` if the condition of this operator is a range of it, else ""."""
        is_negated = operator.negates not in ("", NEVER.name)
        return "" if is_negated or (self.is_partial and operator == NEVER) else self.indexed_column

    def list_filter(
        self, operator: Operator, values: list[Any], context: Any, rows: QuerySet[Any]
    ) -> ListFilter:
        """Return the condition and the keys of matching rows; an index searches in `rows`."""
        condition = self.condition(operator, values, context)
        column = self.range_column(operator)
        if not column:
            return ListFilter(condition, self.keys(operator, values, context))
        rows = rows.filter(condition)
        keys = KeySubquery.in_range(rows, column, is_binary=self.has_binary_index)
        return ListFilter(condition, keys, column)

    def words(self, operator: Operator, values: list[Any]) -> str:
        """Return the values as shown in a chip."""
        return ", ".join(str(value) for value in values)


# The comparisons of text in the database and in Python. Both compare normalized forms.
LOOKUPS = {"contains": Contains, "starts_with": StartsWith, "ends_with": EndsWith, "is": Exact}
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "is": str.__eq__,
}


def is_match(operator: Operator, text: str, values: Iterable[str]) -> bool:
    """Return whether a text matches all values, in normalized form."""
    text = normalize(text)
    return all(
        COMPARISONS[operator.test](text, normalize(value)) is not bool(operator.negates)
        for value in values
    )


@dataclass(frozen=True)
class TextFilter(FieldFilter):
    """A text column stored normalized at `path`, compared regardless of case; may suggest values."""

    path: str
    suggest: Callable[[Any], Iterable[str]] | None = None
    operators = (CONTAINS, IS, IS_NOT, STARTS_WITH)

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        if operator.test == NEVER.name:
            return Q(**{f"{self.path}__isnull": operator == NEVER})
        condition = Q()
        for value in values:
            one = self.lookup(operator.test, normalize(value), context)
            condition &= ~one if operator.negates else one
        return condition

    def lookup(self, test: str, term: str, context: Any) -> Q:
        """Return the condition that the text contains, starts with, ends with or is a term."""
        return Q(LOOKUPS[test](F(self.path), term))


class PlainTextFilter(TextFilter):
    """A text column that is not stored in normalized form, in a small table."""

    def lookup(self, test: str, term: str, context: Any) -> Q:
        return Q(LOOKUPS[test](normalized(self.path), term))


@dataclass(frozen=True)
class NumberFilter(FieldFilter):
    """A column of integers or booleans; `indexed_column` is set if an index starts with it."""

    path: str
    indexed_column: str = ""

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        lookup = {AT_LEAST: "gte", AT_MOST: "lte"}.get(operator, "exact")
        condition = Q(**{f"{self.path}__{lookup}": values[0]})
        return ~condition if operator.negates else condition


# What a time takes, and an example of its format.
_FORMATS = {"date": ("date", "2026-10-01"), "moment": ("time", "2026-10-01T14:30")}
# How a time compares with the value, or with the moment that it stands for.
_COMPARED = {
    BEFORE: "lt", UNTIL: "lt", DAYS_AGO: "lt", AFTER: "gte", SINCE: "gte", LAST_DAYS: "gte",
    PAST: "lte", NEXT_DAYS: "lte",
}  # fmt: skip


@dataclass(frozen=True)
class TimeFilter(FieldFilter):
    """A date and time column; days are in the time zone of the request."""

    path: str
    can_be_never: bool = False
    is_indexed: bool = True
    is_partial: bool = False

    @property
    def indexed_column(self) -> str:  # type: ignore[override]  # it depends
        return self.path if self.is_indexed else ""

    @property
    def operators(self) -> tuple[Operator, ...]:  # type: ignore[override]  # it depends
        return (BEFORE, AFTER, LAST_DAYS, DAYS_AGO, *([NEVER] if self.can_be_never else []))

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        if operator.takes == "days":
            if text.isascii() and text.isdecimal() and 1 <= int(text[:7]) <= _MAX_DAYS:
                return int(text)
            raise ValidationError(f"“{text}” is not a number of days between 1 and {_MAX_DAYS:,}.")
        zone = timezone.get_current_timezone()
        try:
            if operator.takes == "date":
                return _in_range(datetime.combine(date.fromisoformat(text), time(), zone))
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            return _in_range(moment.astimezone(zone))
        except (ValueError, OverflowError):
            what, example = _FORMATS[operator.takes]
            raise ValidationError(f"“{text}” is not a {what}. Use the format {example}.") from None

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        return reduce(and_, (self._condition(operator, value) for value in values), Q())

    def _condition(self, operator: Operator, value: Any) -> Q:
        if operator.test == NEVER.name:
            return Q(**{f"{self.path}__isnull": operator == NEVER})
        if operator.test == IS.name or operator in (AT_LEAST, AT_MOST):
            return self._in_milliseconds(operator, value)
        if operator.takes == "days":
            days = timedelta(days=value)
            value = timezone.now() + (days if operator == NEXT_DAYS else -days)
        elif operator == PAST:
            value = timezone.now()
        elif operator == AFTER:
            value = _next_day(value)
        condition = Q(**{f"{self.path}__{_COMPARED[operator]}": value})
        if operator == NEXT_DAYS:
            condition &= Q(**{f"{self.path}__gt": timezone.now()})
        return condition

    def _in_milliseconds(self, operator: Operator, time: datetime) -> Q:
        """Compare with millisecond precision, so that clients can filter by times from responses."""
        begin = time.replace(microsecond=time.microsecond // 1000 * 1000)
        is_last = begin > _LAST - _MILLISECOND
        from_begin = Q(**{f"{self.path}__gte": begin})
        end = {"lte": time} if is_last else {"lt": begin + _MILLISECOND}
        until_end = Q(**{f"{self.path}__{lookup}": value for lookup, value in end.items()})
        if operator in (AT_LEAST, AT_MOST):
            return from_begin if operator == AT_LEAST else until_end
        return ~(from_begin & until_end) if operator.negates else from_begin & until_end

    def words(self, operator: Operator, values: list[Any]) -> str:
        if operator.takes == "days":
            shown = (f"{value} day{'s' if value != 1 else ''}" for value in values)
            return ", ".join(f"{days}{operator.suffix}" for days in shown)
        if operator.takes == "date":
            return ", ".join(date_text(value) for value in values)
        moment: datetime = values[0]
        return f"{time_text(moment, seconds=bool(moment.second))} {zone_label(moment)}"


class ExpiryFilter(TimeFilter):
    """Filters by a time in the future, too."""

    operators = (NEXT_DAYS, PAST, BEFORE, AFTER, NEVER)


class InstantFilter(TimeFilter):
    """A date and time column that can be filtered to the second."""

    @property
    def operators(self) -> tuple[Operator, ...]:  # type: ignore[override]  # as above
        return (SINCE, UNTIL, *super().operators)


@dataclass(frozen=True)
class Choice:
    """An option of a `ChoiceFilter`; `hint` distinguishes options with the same label."""

    value: str
    label: str
    hint: str = ""


class ChoiceFilter(FieldFilter):
    """A column with known values; a subclass provides those visible to the caller."""

    operators: tuple[Operator, ...] = (ANY_OF,)
    has_search = False
    # What an option is called, if the column's title does not say it.
    noun = ""

    def choices(self, context: Any, search: str = "") -> list[Choice]:
        """Return the options that match `search`, at most as many as fit a dialog."""
        raise NotImplementedError

    def chosen(self, values: list[str], context: Any) -> list[Choice]:
        """Return the options with these values, without those that do not exist."""
        return [choice for choice in self.choices(context) if choice.value in values]

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        found = self.chosen([text], context)
        if not found:
            raise ValidationError(f"“{text}” is not one of the options.")
        return found[0]

    def words(self, operator: Operator, values: list[Choice]) -> str:
        return ", ".join(choice.label for choice in values)


@dataclass(frozen=True)
class OptionsFilter(ChoiceFilter):
    """Known options, each with its label and the condition of its rows."""

    options: Mapping[str, tuple[str, Q]]
    operators: tuple[Operator, ...] = (ANY_OF,)
    indexed_column: str = ""

    def choices(self, context: Any, search: str = "") -> list[Choice]:
        return [Choice(value, label) for value, (label, _) in self.options.items()]

    def condition(self, operator: Operator, values: list[Choice], context: Any) -> Q:
        return reduce(or_, (self.options[choice.value][1] for choice in values), Q())


class ValuesField(forms.Field):
    """All values of one parameter: keeps valid values, and messages for the others in `refused`."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, read: Callable[[str], Any], **options: Any) -> None:
        super().__init__(**{**options, "required": False})
        self.read = read
        self.refused: list[str] = []

    def clean(self, value: Any) -> list[Any]:
        good: list[Any] = []
        self.refused = []
        for text in dict.fromkeys(value or []):
            if not text.strip():
                continue
            try:
                good.append(self._read_one(text, len(good)))
            except ValidationError as error:
                self.refused += error.messages
        return good

    def _read_one(self, text: str, before: int) -> Any:
        if before == MAX_VALUES:
            raise ValidationError(f"a filter can have at most {MAX_VALUES} values.")
        if len(text) > _MAX_VALUE_LENGTH or not is_storable(text):
            raise ValidationError(f"a value can have at most {_MAX_VALUE_LENGTH} characters.")
        return self.read(text.strip())


class OperatorFilter(django_filters.Filter):  # type: ignore[misc]  # django-filter has no types
    """One operator of one column."""

    field_class = ValuesField

    def __init__(self, column: str, field_filter: FieldFilter, operator: Operator) -> None:
        super().__init__(field_name=column, label=f"{column} {operator.words}")
        self.column, self.field_filter, self.operator = column, field_filter, operator

    @property
    def field(self) -> ValuesField:
        read, context = self.field_filter.read, self.parent.context
        takes_value = self.operator.takes
        return ValuesField(
            read=lambda text: read(self.operator, text, context) if takes_value else True
        )

    def list_filter(self, values: list[Any]) -> ListFilter:
        """Return the condition and keys for these values."""
        context, rows = self.parent.context, self.parent.indexed_queryset()
        return self.field_filter.list_filter(self.operator, values, context, rows)

    def filter(self, qs: QuerySet[Any], value: list[Any]) -> QuerySet[Any]:
        return qs.filter(self.list_filter(value).condition) if value else qs

    def alternatives(self, values: list[Any]) -> list[list[Any]]:
        """Return the values that are combined with OR, a list for each group combined with AND."""
        is_any_of = isinstance(self.field_filter, ChoiceFilter)
        return [values] if is_any_of else [[value] for value in values]

    def words(self, values: list[Any]) -> str:
        """Return the operator and these values as shown in a chip."""
        operator = self.operator
        shown = self.field_filter.words(operator, values) if operator.takes else ""
        return f"{operator.words} {shown}".strip()


@dataclass(frozen=True)
class Chip:
    """An active filter, for display. `name` and `texts` are its URL parameter and values.

    `depends_on_zone` says whether it compares with a day or a time of day.
    """

    column: str
    name: str
    title: str
    words: str
    texts: list[str] = field(default_factory=list)
    depends_on_zone: bool = False

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.words) if part)


class ListFilterSet(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """A filter set built from the `FieldFilter` of each column."""

    field_filters: dict[str, FieldFilter] = {}
    # The titles of columns whose names do not say it.
    titles: dict[str, str] = {}
    # Columns that only our own links filter by: a user would not know what to enter.
    unlisted: tuple[str, ...] = ()
    base_filters: dict[str, Any]

    def __init__(self, data: Any, queryset: QuerySet[Any], *, context: Any) -> None:
        self.context = context
        # A table has dozens of filters, a URL names a few, and django-filter copies each of them.
        self.base_filters = {n: f for n, f in type(self).base_filters.items() if n in data}
        super().__init__(data, queryset)

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        filters = super().get_filters()
        for column, field_filter in cls.field_filters.items():
            for operator in field_filter.operators:
                filters[f"{column}__{operator.name}"] = OperatorFilter(
                    column, field_filter, operator
                )
        return dict(filters)

    @classmethod
    def listed(cls) -> list[tuple[str, str]]:
        """Return the names and titles of the columns that the user can filter by."""
        return [(name, cls.title(name)) for name in cls.field_filters if name not in cls.unlisted]

    @classmethod
    def title(cls, column: str) -> str:
        return cls.titles.get(column) or pretty_name(column)

    def values_field(self, column: str, operator: Operator) -> ValuesField:
        """Return the form field of one filter, active or not."""
        filter_ = OperatorFilter(column, self.field_filters[column], operator)
        filter_.parent = self
        return filter_.field

    def active(self) -> list[tuple[OperatorFilter, list[Any]]]:
        """Return the active filters, each with its values."""
        self.form.is_valid()
        asked = self.form.cleaned_data.items()
        return [(self.filters[name], values) for name, values in asked if values]

    def selection(self) -> tuple[QuerySet[Any], list[ListFilter]]:
        """Return the rows and the filters to apply; a subclass can do it differently."""
        return self.queryset, self.list_filters()

    def list_filters(self) -> list[ListFilter]:
        """Return the condition and keys of each active filter."""
        return [filter_.list_filter(values) for filter_, values in self.active()]

    def indexed_queryset(self) -> QuerySet[Any]:
        """Return the rows in which an index searches: all, unless the list never shows some."""
        rows: QuerySet[Any] = self.queryset.model.objects.all()
        return rows

    def refused(self) -> list[str]:
        """Return a message for each value that could not be parsed."""
        self.form.is_valid()
        return [
            f"Ignored filter {self.title(self.filters[name].column)}: {message}"
            for name, values in self.form.fields.items()
            for message in values.refused
        ]

    def chips(self) -> list[Chip]:
        """Return the active filters, for display: one for each value combined with AND."""
        return [
            Chip(
                filter_.column, f"{filter_.column}__{filter_.operator.name}",
                self.title(filter_.column), filter_.words(group),
                [as_text(value) for value in group], filter_.operator.takes in ("date", "moment"),
            )
            for filter_, values in self.active() for group in filter_.alternatives(values)
        ]  # fmt: skip


def as_text(value: Any) -> str:
    """Return a value as it is in the URL."""
    if isinstance(value, Choice):
        return value.value
    if isinstance(value, datetime):
        midnight = value == value.replace(hour=0, minute=0, second=0, microsecond=0)
        return f"{value:%Y-%m-%d}" if midnight else value.replace(tzinfo=None).isoformat()
    return "1" if value is True else str(value)


def _in_range(time: datetime) -> datetime:
    """Return the time; raise OverflowError if UTC can't express it."""
    time.astimezone(UTC)
    return time


def _next_day(day: datetime) -> datetime:
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return day
