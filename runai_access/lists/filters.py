"""Filters by column and operator, on top of django-filter: "Last login is before 1 Oct 2026".

A filter set names for each column what kind of thing it holds. The kind knows the operators, reads
their values and makes the condition. In an address a filter is `column__operator=value`; repeated
values must all hold, those of "any of" each may. What can't be read is left out and told.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize
from runai_access.lists.selection import ListFilter

MAX_VALUES = 50
_MAX_VALUE_LENGTH = 300
_MAX_DAYS = 36_500


@dataclass(frozen=True)
class Operator:
    """One way to compare. `takes` says which input asks for the value: text, date, moment, days,
    choices, or nothing."""

    name: str
    words: str
    takes: str = ""

    @property
    def label(self) -> str:
        return {"last_days": "is in the last … days"}.get(self.name, self.words)


CONTAINS = Operator("contains", "contains", "text")
IS = Operator("is", "is", "text")
IS_NOT = Operator("is_not", "is not", "text")
STARTS_WITH = Operator("starts_with", "starts with", "text")
BEFORE = Operator("before", "is before", "date")
AFTER = Operator("after", "is after", "date")
LAST_DAYS = Operator("last_days", "is in the last", "days")
NEVER = Operator("never", "is never")
SINCE = Operator("since", "is since", "moment")
UNTIL = Operator("until", "is until", "moment")
ANY_OF = Operator("any_of", "is any of", "choices")
NONE = Operator("none", "is none")
ONE_OF_FEW = Operator("is", "is", "choices")


class FieldFilter:
    """What a column holds: its operators, and what their values mean."""

    operators: tuple[Operator, ...] = ()
    # The column whose index has what meets the condition as one range, if there is one.
    indexed_column = ""

    def operator(self, name: str) -> Operator | None:
        return next((operator for operator in self.operators if operator.name == name), None)

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        """Return the value that `text` stands for; raise ValidationError with a sentence."""
        raise NotImplementedError

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        """Return what rows must be for these values; `context` is who asks."""
        raise NotImplementedError

    def keys(self, operator: Operator, values: list[Any], context: Any) -> KeySubquery | None:
        """Return where the rows are found that meet the condition, if there is an index for it."""
        return None

    def words(self, operator: Operator, values: list[Any]) -> str:
        """Return the values as a chip names them."""
        return ", ".join(str(value) for value in values)


@dataclass(frozen=True)
class TextFilter(FieldFilter):
    """Text that is stored folded at `path`, so that case never matters; and who suggests values."""

    path: str
    suggest: Callable[[Any], Iterable[str]] | None = None
    operators = (CONTAINS, IS, IS_NOT, STARTS_WITH)

    def read(self, operator: Operator, text: str, context: Any) -> str:
        return text

    def condition(self, operator: Operator, values: list[str], context: Any) -> Q:
        condition = Q()
        for value in values:
            one = self.lookup(operator, normalize(value))
            condition &= ~one if operator == IS_NOT else one
        return condition

    def lookup(self, operator: Operator, text: str) -> Q:
        """Return the condition that `text` is in the column, or its beginning, or all of it."""
        names = {"contains": "contains", "starts_with": "startswith"}
        return Q(**{f"{self.path}__{names.get(operator.name, 'exact')}": text})


@dataclass(frozen=True)
class TimeFilter(FieldFilter):
    """A time; days are days in UTC."""

    path: str
    can_be_never: bool = False

    @property
    def indexed_column(self) -> str:  # type: ignore[override]  # it depends
        return self.path

    @property
    def operators(self) -> tuple[Operator, ...]:  # type: ignore[override]  # it depends
        return (BEFORE, AFTER, LAST_DAYS, *([NEVER] if self.can_be_never else []))

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        if operator == NEVER:
            return True
        if operator == LAST_DAYS:
            if text.isascii() and text.isdecimal() and 1 <= int(text[:7]) <= _MAX_DAYS:
                return int(text)
            raise ValidationError(f"“{text}” is no number of days from 1 to {_MAX_DAYS:,}.")
        try:
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise ValidationError(f"“{text}” is no date like 2026-10-01.") from None

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        condition = Q()
        for value in values:
            if operator == NEVER:
                condition &= Q(**{f"{self.path}__isnull": True})
            elif operator == LAST_DAYS:
                since = timezone.now() - timedelta(days=value)
                condition &= Q(**{f"{self.path}__gte": since})
            elif operator == BEFORE:
                condition &= Q(**{f"{self.path}__lt": value})
            else:
                condition &= Q(**{f"{self.path}__gte": _next_day(value)})
        return condition

    def words(self, operator: Operator, values: list[Any]) -> str:
        if operator == NEVER:
            return ""
        if operator == LAST_DAYS:
            return ", ".join(f"{value} day{'s' if value != 1 else ''}" for value in values)
        return ", ".join(f"{value:%-d %b %Y}" for value in values)


class InstantFilter(TimeFilter):
    """A time that may be asked for to the second; times without a zone are UTC."""

    @property
    def operators(self) -> tuple[Operator, ...]:  # type: ignore[override]  # as above
        return (SINCE, UNTIL, *super().operators)

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        if operator not in (SINCE, UNTIL):
            return super().read(operator, text, context)
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(f"“{text}” is no time like 2026-10-01T14:30.") from None

    def condition(self, operator: Operator, values: list[Any], context: Any) -> Q:
        if operator == SINCE:
            return Q(**{f"{self.path}__gte": max(values)})
        if operator == UNTIL:
            return Q(**{f"{self.path}__lt": min(values)})
        return super().condition(operator, values, context)

    def words(self, operator: Operator, values: list[Any]) -> str:
        if operator not in (SINCE, UNTIL):
            return super().words(operator, values)
        moment: datetime = values[0]
        return (
            f"{moment:%-d %b %Y, %H:%M:%S} UTC"
            if moment.second
            else f"{moment:%-d %b %Y, %H:%M} UTC"
        )


@dataclass(frozen=True)
class Choice:
    """One thing to choose; `hint` tells it from its namesakes."""

    value: str
    label: str
    hint: str = ""


class ChoiceFilter(FieldFilter):
    """One or some of known things; a subclass finds them for whoever asks."""

    operators: tuple[Operator, ...] = (ANY_OF,)
    has_search = False
    # What one of them is called, where the column's title does not say.
    noun = ""

    def choices(self, context: Any, search: str = "") -> list[Choice]:
        """Return what there is to choose, at most as much as fits a dialog."""
        raise NotImplementedError

    def chosen(self, values: list[str], context: Any) -> list[Choice]:
        """Return the choices of these values; those that do not exist are missing."""
        return [choice for choice in self.choices(context) if choice.value in values]

    def read(self, operator: Operator, text: str, context: Any) -> Any:
        if not operator.takes:
            return Choice("1", "")
        found = self.chosen([text], context)
        if not found:
            raise ValidationError(f"“{text}” is none of those to choose from.")
        return found[0]

    def words(self, operator: Operator, values: list[Choice]) -> str:
        return ", ".join(choice.label for choice in values)


class ValuesField(forms.Field):
    """All values of one parameter: reads what it can, and keeps what it refused."""

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
            raise ValidationError(f"one filter has at most {MAX_VALUES} values.")
        if len(text) > _MAX_VALUE_LENGTH or not is_text(text):
            raise ValidationError(
                f"a value must be text of at most {_MAX_VALUE_LENGTH} characters."
            )
        return self.read(text.strip())


def is_text(text: str) -> bool:
    """Return whether every database can hold `text`: no NUL, no lone surrogate."""
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


class OperatorFilter(django_filters.Filter):  # type: ignore[misc]  # django-filter has no types
    """One operator of one column."""

    field_class = ValuesField

    def __init__(self, column: str, kind: FieldFilter, operator: Operator) -> None:
        super().__init__(field_name=column, label=f"{column} {operator.words}")
        self.column, self.kind, self.operator = column, kind, operator

    @property
    def field(self) -> ValuesField:
        context = self.parent.context
        return ValuesField(read=lambda text: self.kind.read(self.operator, text, context))

    def filter(self, qs: QuerySet[Any], value: list[Any]) -> QuerySet[Any]:
        if not value:
            return qs
        return qs.filter(self.kind.condition(self.operator, value, self.parent.context))


@dataclass(frozen=True)
class Chip:
    """One filter that holds, as a sentence. `name` and `texts` are its part of the address."""

    column: str
    name: str
    title: str
    words: str
    texts: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.words) if part)


class ListFilterSet(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """A filter set that is made of columns and their kinds."""

    field_filters: dict[str, FieldFilter] = {}
    titles: dict[str, str] = {}
    # Columns that only addresses of ours filter by: a person would not know what to type.
    unlisted: tuple[str, ...] = ()
    base_filters: dict[str, Any]

    def __init__(self, data: Any, queryset: QuerySet[Any], *, context: Any) -> None:
        self.context = context
        # A table has dozens of filters and an address names a few; each would be copied.
        self.base_filters = {n: f for n, f in type(self).base_filters.items() if n in data}
        super().__init__(data, queryset)

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        filters = super().get_filters()
        for column, kind in cls.field_filters.items():
            for operator in kind.operators:
                filters[f"{column}__{operator.name}"] = OperatorFilter(column, kind, operator)
        return dict(filters)

    @classmethod
    def listed(cls) -> list[tuple[str, str]]:
        """Return the columns to choose from, each with its title."""
        return [(name, title) for name, title in cls.titles.items() if name not in cls.unlisted]

    def values_field(self, column: str, operator: Operator) -> ValuesField:
        """Return the field that reads the values of one filter, whether or not it holds."""
        filter_ = OperatorFilter(column, self.field_filters[column], operator)
        filter_.parent = self
        return filter_.field

    def selection(self) -> tuple[QuerySet[Any], list[ListFilter]]:
        """Return all rows, and what leaves some of them out; a list may do that in its own way."""
        return self.queryset, self.list_filters()

    def list_filters(self) -> list[ListFilter]:
        """Return what each filter that holds leaves, and where that is found."""
        self.form.is_valid()
        asked = ((self.filters[name], values) for name, values in self.form.cleaned_data.items())
        return [self._list_filter(filter_, values) for filter_, values in asked if values]

    def _list_filter(self, filter_: OperatorFilter, values: list[Any]) -> ListFilter:
        kind, operator = filter_.kind, filter_.operator
        condition = kind.condition(operator, values, self.context)
        if not kind.indexed_column:
            return ListFilter(condition, kind.keys(operator, values, self.context))
        keys = KeySubquery.of(self.indexed_queryset().filter(condition))
        return ListFilter(condition, keys, kind.indexed_column)

    def indexed_queryset(self) -> QuerySet[Any]:
        """Return the rows that the indexes are of: all, unless the list never shows some."""
        rows: QuerySet[Any] = self.queryset.model.objects.all()
        return rows

    def refused(self) -> list[str]:
        """Return a sentence for each value that could not be read."""
        self.form.is_valid()
        return [
            f"{self._title(name)}: {message}"
            for name, values in self.form.fields.items()
            for message in values.refused
        ]

    def chips(self) -> list[Chip]:
        """Return the filters that hold, one for each value that must."""
        self.form.is_valid()
        chips: list[Chip] = []
        for name, values in self.form.cleaned_data.items():
            filter_ = self.filters[name]
            together = isinstance(filter_.kind, ChoiceFilter)
            for group in [values] if together and values else [[value] for value in values]:
                words = f"{filter_.operator.words} {filter_.kind.words(filter_.operator, group)}"
                chips.append(
                    Chip(
                        filter_.column, name, self.titles[filter_.column], words.strip(),
                        [_text(value) for value in group],
                    )
                )  # fmt: skip
        return chips

    def _title(self, name: str) -> str:
        return self.titles[self.filters[name].column]


def _text(value: Any) -> str:
    if isinstance(value, Choice):
        return value.value
    if isinstance(value, datetime):
        midnight = value == value.replace(hour=0, minute=0, second=0, microsecond=0)
        return f"{value:%Y-%m-%d}" if midnight else value.replace(tzinfo=None).isoformat()
    return "1" if value is True else str(value)


def _next_day(day: datetime) -> datetime:
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return day
