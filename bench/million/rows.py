"""The measured views and the rows of results."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median as median_of
from typing import Any

ROWS = 50
"""Rows on a page."""
LIMITS = {"sqlite": 100.0, "postgresql": 120.0}
"""The limit for a page in milliseconds, measured by the server."""
WORST, WORST_LIMIT = "two conditions with little in common", 500.0
"""The name of views with two filters that match many rows each, and their limit in milliseconds."""
MAX_COUNTED = 10_000
"""Matches that a list counts within the limit for a page."""


@dataclass(frozen=True)
class View:
    """A URL, and its limit in milliseconds, measured by the server.

    `beside` names the comparable views of peers. `can_grow`: a larger database can make the view
    slower. `python_limit` is the limit for Python. `growth_allowance` is added to the growth limit, in
    milliseconds. `counting_limit` is the limit of a request that counts more than MAX_COUNTED matches.

    `token` authenticates a request to the API. A request that needs more than `timeout` seconds ends.
    """

    name: str
    address: str
    limit: float | None = None
    beside: tuple[str, ...] = ()
    can_grow: bool = False
    python_limit: float | None = None
    growth_allowance: float = 0.0
    counting_limit: float | None = None
    token: str = field(default="", repr=False)
    timeout: float = 0.0


@dataclass
class Row:
    """A row of the table. The server measures the times of pages, the bench all others.

    `cpu` is CPU time in total, `python` CPU time outside queries. These two and `least` are useful even
    on a busy machine.
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
    growth_allowance: float = 0.0
    least: float | None = None
    cpu: float | None = None
    sql: float | None = None
    python: float | None = None
    queries: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


def row_of(group: str, name: str, times: Sequence[float], **others: Any) -> Row:
    """Return the row for measurements in milliseconds."""
    ordered = sorted(times)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return Row(group, name, median_of(ordered), p95, least=ordered[0], **others)
