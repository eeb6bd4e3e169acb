"""The requests of the API that plain viewsets answer too; see `api_peers`."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from bench.million import people
from bench.million.api_cases import Case, Position, cases
from bench.million.api_peer_fields import FIELDS, SUFFIXES
from bench.million.people import API_ADMINISTRATOR
from bench.million.rows import ROWS, Row, View
from bench.million.running import Bench

GROUP = "peers of the API"
ROUNDS = 3
# Seconds after which a request ends.
TIMEOUT = 3.0
_CONDITION = re.compile(r"(\w+)(==|=@|<=)(.*)", re.DOTALL)


def peer_name(case: Case) -> str | None:
    """Return the name of the peer's row that is comparable to a request; None without one."""
    return f"{case.name}: ModelViewSet" if _query(case) is not None else None


def measure(bench: Bench) -> list[Row]:
    """Measure the peers, which the server of `bench` serves too."""
    return bench.measure(GROUP, _views(bench), ROUNDS)


def _views(bench: Bench) -> Iterator[View]:
    from bench.million.api_peers import VIEW_SETS

    token = people.token_of(API_ADMINISTRATOR, bench.server.url)
    totals: dict[str, int] = {}
    for case in cases():
        query, name = _query(case), peer_name(case)
        if query is None or name is None or not bench.wants(name):
            continue
        list_name = f"{case.of.name}-with-deleted" if case.has_deleted else case.of.name
        if case.position is Position.DEEP:
            if list_name not in totals:
                totals[list_name] = VIEW_SETS[list_name].queryset.count()
            query["offset"] = str(totals[list_name] // 2)
        path = f"/bench/api/{list_name}/"
        if case.detail:
            path += f"{case.detail}/"
        yield View(name, f"{path}?{urlencode(query)}", token=token, timeout=TIMEOUT)


def _query(case: Case) -> dict[str, str] | None:
    """Return the peer's parameters for a request; None if it has no equivalent or is not measured."""
    fields = FIELDS.get(case.of.name)
    is_deep_filter = case.position is Position.DEEP and case.is_filtered
    if (
        fields is None
        or case.caller != API_ADMINISTRATOR
        or case.position not in (Position.FIRST, Position.DEEP)
        or is_deep_filter
        or (case.own and not case.has_deleted)
        or (case.detail and case.of.name in ("clusters", "departments", "projects"))
        or (case.sort and (case.is_filtered or case.sort not in fields))
    ):  # fmt: skip
        return None
    query = {} if case.detail else {"limit": str(ROWS)}
    for condition in case.filters:
        match = _CONDITION.fullmatch(condition)
        if match is None or match[1] not in fields or match[3] == "null":
            return None
        query[f"{match[1]}{SUFFIXES[match[2]]}"] = match[3]
    if case.search:
        query["search"] = case.search
    if case.sort:
        query["ordering"] = f"{'-' if case.order == 'desc' else ''}{fields[case.sort]}"
    return query
