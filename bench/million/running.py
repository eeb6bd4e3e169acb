"""The measured server and its client."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.million import processes
from bench.million.browser import Browser
from bench.million.clock import HEADER, TIMED_OUT, TIMEOUT_HEADER
from bench.million.names import ADMINISTRATOR
from bench.million.rows import MAX_COUNTED, Row, View, row_of
from bench.million.turns import Turns
from tests.servers import Server, child_processes, launch

UNCOUNTED = 2
SECRET_KEY = "of-a-temporary-database-" + "x" * 16


@dataclass(frozen=True)
class Options:
    """How to measure: the number of rounds, and a text that the names of the measured views contain."""

    rounds: int
    only: str = ""


@dataclass(frozen=True)
class Response:
    """A response and the measurements of the server. `total` is the number of matches, if known."""

    figures: dict[str, float]
    headers: HTTPMessage
    total: int | None
    has_timed_out: bool


class Bench:
    """The server on the measured database, which all parts of the bench use."""

    def __init__(self, server: Server, database: str, options: Options, turns: Turns) -> None:
        self.server, self.database = server, database
        self._options, self._turns = options, turns
        self.cookies: dict[str, str] = {}
        self._peak = 0.0
        self.sign_in()

    def sign_in(self, email: str = ADMINISTRATOR) -> None:
        self.cookies = Browser(self.server.url, email).cookies

    def wants(self, name: str) -> bool:
        """Return whether the view with this name is measured."""
        return self._options.only in name

    def measure(self, group: str, views: Iterable[View], most_rounds: int = 1_000) -> list[Row]:
        """Request all views in rounds, so that other load affects all of them.

        A view with a timeout is not requested again after that time in total.
        """
        rounds = min(self._options.rounds, most_rounds)
        found: dict[View, list[Response]] = {view: [] for view in views if self.wants(view.name)}
        uncounted = min(UNCOUNTED, rounds)
        for _ in range(uncounted + rounds):
            self._turns.pass_on()
            for view, responses in found.items():
                used = sum(response.figures["server"] for response in responses) / 1000
                if not view.timeout or used < view.timeout:
                    responses.append(self.request(view))
        return [
            _row(group, view, responses[uncounted:] or responses[-1:])
            for view, responses in found.items()
        ]

    def connect(self, address: str, headers: dict[str, str] | None = None) -> HTTPConnection:
        """Request a URL on a new connection, so that all workers get requests.

        Without `Authorization` in `headers`, it is a request of the signed-in user.
        """
        parts = urlsplit(self.server.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=300)
        sent = dict(headers or {})
        if "Authorization" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request("GET", address, headers=sent)
        return connection

    def request(self, view: View) -> Response:
        """Request a view. Raises AssertionError unless it succeeds or exceeds its timeout."""
        headers = {}
        if view.token:
            headers["Authorization"] = f"Bearer {view.token}"
        if view.timeout:
            headers[TIMEOUT_HEADER] = str(view.timeout)
        connection = self.connect(view.address, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        has_timed_out = bool(view.timeout) and answer.status == TIMED_OUT
        if answer.status != 200 and not has_timed_out:
            raise AssertionError(
                f"{view.name}: {view.address} returned {answer.status}: {body[:300]!r}"
            )
        figures: dict[str, float] = json.loads(answer.headers[HEADER])
        figures["bytes"] = len(body)
        return Response(figures, answer.headers, _total(answer.headers, body), has_timed_out)

    def workers(self) -> list[int]:
        return child_processes(self.server.process.pid)

    def cpu(self) -> float:
        """Return the CPU time of all workers so far in milliseconds."""
        return sum(map(processes.cpu, self.workers()))

    def peak(self) -> float:
        """Return the peak memory of any worker in MB."""
        self._peak = max(self._peak, *map(processes.peak, self.workers()))
        return self._peak

    def forget_peaks(self) -> None:
        """Reset the kernel's peak values; `peak` remembers the earlier ones."""
        self.peak()
        for pid in self.workers():
            processes.forget_peak(pid)


def _total(headers: HTTPMessage, body: bytes) -> int | None:
    """Return the number of matches in the response of a list or count."""
    if text := headers.get("X-Total-Count"):
        return int(text)
    return int(json.loads(body)["count"]) if body.startswith(b'{"count":') else None


@contextmanager
def serving(
    folder: Path, database_url: str, settings: str, options: Options, turns: Turns
) -> Iterator[Bench]:
    """Serve the database during the measurement."""
    server = launch(
        folder,
        database=database_url,
        environment={
            "DJANGO_SETTINGS_MODULE": settings, "RUNAI_ACCESS_SECRET_KEY": SECRET_KEY,
            "RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND": "1000000",
        },
    )  # fmt: skip
    try:
        server.wait_until_ready(300)
        kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
        yield Bench(server, kind, options, turns)
    finally:
        server.kill()


def _row(group: str, view: View, responses: list[Response]) -> Row:
    found = [response.figures for response in responses]
    middle = {name: median(figures[name] for figures in found) for name in found[0]}
    total = responses[-1].total
    more: dict[str, int] = {"bytes": round(middle["bytes"])}
    if timeouts := sum(response.has_timed_out for response in responses):
        more["timed out"] = timeouts
    if total is not None:
        more["matches"] = total
    counts = view.counting_limit is not None and (total or 0) > MAX_COUNTED
    return row_of(
        group, view.name, [figures["server"] for figures in found],
        limit=view.counting_limit if counts else view.limit,
        beside=view.beside, can_grow=view.can_grow or counts, python_limit=view.python_limit,
        growth_allowance=view.growth_allowance, queries=round(middle["queries"]),
        cpu=middle["cpu"], sql=middle["sql"], python=middle["python"], more=more,
    )  # fmt: skip
