"""Every list of the API, with every filter, search and order, at the first page and deep ones."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bench.million import people
from bench.million.api_cases import Case, Position, cases
from bench.million.rows import LIMITS, ROWS, WORST_LIMIT, Row, View
from bench.million.running import Bench, Response

# There are two thousand requests.
ROUNDS = 5
# Seconds after which a request ends.
TIMEOUT = 3.0
# The limit of a request that counts more than MAX_COUNTED matches.
COUNTING_LIMIT = 1_000.0
GROWTH_ALLOWANCE = 10.0
# The contract requires the number of all matches.
_EXACT_TOTALS = ("access-rules", "me/access-rules")
_NEXT = re.compile(r'<([^>]+)>; *rel="next"')


def measure(bench: Bench) -> list[Row]:
    prepared = _Preparation(bench)
    by_group: dict[str, list[View]] = {}
    for case in cases():
        if bench.wants(case.name) and (view := prepared.view(case)):
            by_group.setdefault(f"API {case.of.name}", []).append(view)
    return [row for group, views in by_group.items() for row in bench.measure(group, views, ROUNDS)]


class _Preparation:
    """Finds the deep pages and the cursors, with one request of each first page that they need."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._tokens: dict[str, str] = {}
        self._responses: dict[tuple[str, str], Response] = {}

    def view(self, case: Case) -> View | None:
        """Return the request of a case; None if the list has no such page."""
        address = self._address(case)
        return self._view(case, address) if address else None

    def _address(self, case: Case) -> str | None:
        if case.position is Position.FIRST:
            return case.address()
        total = self._response(case, case.address()).total
        if total is None:  # it timed out
            total = self._response(case, _unfiltered(case).address()).total or 0
        if total <= ROWS:
            return None
        deep = 0 if case.position is Position.NEXT else total // 2
        if case.position is Position.LAST:
            deep = total - ROWS
        if case.position.is_cursor:
            return self._next(case, deep)
        return case.address(deep)

    def _next(self, case: Case, offset: int) -> str:
        """Return the URL of the next page: that of the response, or else by its offset."""
        headers = self._response(case, case.address(offset)).headers
        link = _NEXT.search(headers.get("Link", ""))
        if link is None:
            return case.address(offset + ROWS)
        parts = urlsplit(link[1])
        return f"{parts.path}?{parts.query}"

    def _response(self, case: Case, address: str) -> Response:
        key = (case.caller, address)
        if key not in self._responses:
            self._responses[key] = self._bench.request(self._view(case, address))
        return self._responses[key]

    def _view(self, case: Case, address: str) -> View:
        if case.caller not in self._tokens:
            self._tokens[case.caller] = people.token_of(case.caller, self._bench.server.url)
        must_count = case.of.counts or (case.of.name in _EXACT_TOTALS and case.is_filtered)
        return View(
            case.name, address,
            limit=WORST_LIMIT if case.is_worst else LIMITS[self._bench.database],
            beside=tuple(_peers(case)), can_grow=case.is_worst, growth_allowance=GROWTH_ALLOWANCE,
            counting_limit=COUNTING_LIMIT if must_count else None,
            token=self._tokens[case.caller], timeout=TIMEOUT,
        )  # fmt: skip


def _unfiltered(case: Case) -> Case:
    return Case(case.of, "", caller=case.caller, always=case.always)


def _peers(case: Case) -> Iterator[str]:
    from bench.million.api_peer_views import peer_name

    name = peer_name(case)
    if name:
        yield name
