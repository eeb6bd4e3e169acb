"""The filters that columns declare: their operators, and the conditions they stand for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet

from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import normalized
from runai_access.lists.operators import (
    ANY_OF,
    AT_LEAST,
    AT_MOST,
    CONTAINS,
    IS,
    IS_NOT,
    LOOKUPS,
    NEVER,
    STARTS_WITH,
    Operator,
)
from runai_access.lists.selection import ListFilter


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
