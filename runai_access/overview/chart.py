"""The chart of the issued tokens per day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from runai_access.lists.times import date_text

HEIGHT = 120
# The widths of a day and of its bar.
_DAY, _BAR = 8, 6


@dataclass(frozen=True)
class DayCount:
    """A number of tokens on a day, with both as they are shown."""

    day: date
    count: int

    @property
    def label(self) -> str:
        return date_text(self.day)

    @property
    def number(self) -> str:
        return f"{self.count:,}"


@dataclass(frozen=True)
class Bar:
    """The bar of a day: a rectangle in the view box of the chart."""

    of: DayCount
    x: int
    y: int
    height: int
    width: int = _BAR


@dataclass(frozen=True)
class Chart:
    """A bar chart of `days`, oldest first."""

    days: Sequence[DayCount]

    @property
    def width(self) -> int:
        return _DAY * len(self.days)

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def total(self) -> int:
        return sum(day.count for day in self.days)

    @property
    def highest(self) -> DayCount:
        return max(self.days, key=lambda day: day.count)

    @property
    def newest_first(self) -> Sequence[DayCount]:
        return self.days[::-1]

    @property
    def bars(self) -> list[Bar]:
        """The bars of the days with a count. Rounded up, so that each is visible."""
        most = self.highest.count
        return [
            Bar(day, _DAY * number, HEIGHT - height, height)
            for number, day in enumerate(self.days)
            if day.count and (height := -(-HEIGHT * day.count // most))
        ]
