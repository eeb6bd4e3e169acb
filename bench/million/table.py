"""All views of the table of applications, and the other requests that peers have too."""

from collections.abc import Iterator
from urllib.parse import urlencode

from bench.million import cases
from bench.million.peer_views import LIST, peers_of
from bench.million.rows import LIMITS, ROWS, WORST, WORST_LIMIT, Row, View
from bench.million.running import Bench

GROUP = "applications"
# Limit for Python, without the queries, which SQLite runs in the same process.
IN_ORDER, PYTHON_LIMIT = {"page", "sort", "after", "before"}, 20.0
# A term that is too short for the search index is searched in every row.
SHORT, SHORT_LIMIT = ("search, one character", "search, two characters, no hit"), 500.0


def measure(bench: Bench) -> list[Row]:
    return [*bench.measure(GROUP, _views(bench)), *bench.measure("beside", _beside())]


def _views(bench: Bench) -> Iterator[View]:
    for name, query in cases.queries().items():
        is_short = name in SHORT
        limit = {WORST: WORST_LIMIT}.get(name, LIMITS[bench.database])
        yield View(
            name,
            f"/applications/?{urlencode({**query, 'size': ROWS})}",
            SHORT_LIMIT if is_short else limit,
            beside=peers_of(name),
            can_grow=is_short or name == WORST,
            python_limit=PYTHON_LIMIT if query.keys() <= IN_ORDER else None,
        )


def _beside() -> Iterator[View]:
    yield View("an empty view", "/bench/empty")
    yield View("1,000 applications by the API", "/api/v1/apps?limit=1000", beside=(LIST,))
