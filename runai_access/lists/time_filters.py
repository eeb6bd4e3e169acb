"""The filters of columns with a time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from runai_access.lists.filters import FieldFilter
from runai_access.lists.operators import (
    AFTER,
    AT_LEAST,
    AT_MOST,
    BEFORE,
    DAYS_AGO,
    IS,
    LAST_DAYS,
    NEVER,
    NEXT_DAYS,
    PAST,
    SINCE,
    UNTIL,
    Operator,
)
from runai_access.lists.times import date_text, time_text, zone_label

_MAX_DAYS = 36_500
_LAST = datetime.max.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
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


def _in_range(time: datetime) -> datetime:
    """Return the time; raise OverflowError if UTC can't express it."""
    time.astimezone(UTC)
    return time


def _next_day(day: datetime) -> datetime:
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return day
