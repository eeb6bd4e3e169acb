"""What is measured, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median as median_of
from typing import Any

ROWS = 50
"""Rows on a page."""
LIMITS = {"sqlite": 100.0, "postgresql": 120.0}
"""The most milliseconds that a page may take on the server's clock."""


@dataclass(frozen=True)
class View:
    """An address, and the most milliseconds on the server's clock.

    `beside` names the peers that do the same. `can_grow` says that a larger database may make it
    slower. `python_limit` is the most of Python.
    """

    name: str
    address: str
    limit: float | None = None
    beside: tuple[str, ...] = ()
    can_grow: bool = False
    python_limit: float | None = None


@dataclass
class Row:
    """A line of the table. Times are of the server's clock for a page, else of ours.

    `cpu` and `python` are what the processor did of it, in all and besides queries; both, and `least`,
    also tell something where others keep the machine busy.
    """

    group: str
    name: str
    median: float
    p95: float
    limit: float | None = None
    unit: str = "ms"
    beside: tuple[str, ...] = ()
    can_grow: bool = True
    python_limit: float | None = None
    least: float | None = None
    cpu: float | None = None
    sql: float | None = None
    python: float | None = None
    queries: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


def row_of(group: str, name: str, times: Sequence[float], **others: Any) -> Row:
    """Return the line of what took so many milliseconds, each time that it was done."""
    ordered = sorted(times)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return Row(group, name, median_of(ordered), p95, least=ordered[0], **others)
