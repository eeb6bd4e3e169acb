"""Filters by column and operator, on top of django-filter: "Last login is before 1 Oct 2026".

A filter set has a `FieldFilter` for each column, which defines the operators, parses their values and
builds the condition. In a URL a filter is `column__operator=value`. Repeated values are combined with
AND, those of "any of" with OR. Values that cannot be parsed are ignored and reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.utils import pretty_name

from runai_access.db.normalization import is_storable
from runai_access.lists.filters import Choice, ChoiceFilter, FieldFilter
from runai_access.lists.operators import Operator
from runai_access.lists.selection import ListFilter

MAX_VALUES = 50
_MAX_VALUE_LENGTH = 300


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
