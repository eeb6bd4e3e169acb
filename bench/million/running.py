"""The measured server and its client."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.million import processes
from bench.million.browser import Browser
from bench.million.clock import HEADER
from bench.million.names import ADMINISTRATOR
from bench.million.rows import Row, View, row_of
from bench.million.turns import Turns
from tests.servers import Server, child_processes, launch

UNCOUNTED = 2
SECRET_KEY = "of-a-temporary-database-" + "x" * 16


class Bench:
    """The server on the measured database, which all parts of the bench use."""

    def __init__(self, server: Server, database: str, rounds: int, turns: Turns) -> None:
        self.server, self.database = server, database
        self._rounds, self._turns = rounds, turns
        self.cookies: dict[str, str] = {}
        self._peak = 0.0
        self.sign_in()

    def sign_in(self, email: str = ADMINISTRATOR) -> None:
        self.cookies = Browser(self.server.url, email).cookies

    def measure(self, group: str, views: Iterable[View], most_rounds: int = 1_000) -> list[Row]:
        """Request all views in rounds, so that other load affects all of them."""
        views, rounds = list(views), min(self._rounds, most_rounds)
        found: dict[str, list[dict[str, float]]] = {view.name: [] for view in views}
        uncounted = min(UNCOUNTED, rounds)
        for number in range(uncounted + rounds):
            self._turns.pass_on()
            for view in views:
                figures = self._ask(view)
                if number >= uncounted:
                    found[view.name].append(figures)
        return [_row(group, view, found[view.name]) for view in views]

    def connect(self, address: str) -> HTTPConnection:
        """Request a URL on a new connection, so that all workers get requests."""
        parts = urlsplit(self.server.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=300)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request("GET", address, headers={"Cookie": cookies})
        return connection

    def _ask(self, view: View) -> dict[str, float]:
        connection = self.connect(view.address)
        answer = connection.getresponse()
        length = len(answer.read())
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{view.name}: {view.address} returned {answer.status}.")
        figures: dict[str, float] = json.loads(answer.headers[HEADER])
        return {**figures, "bytes": length}

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


@contextmanager
def serving(
    folder: Path, database_url: str, settings: str, rounds: int, turns: Turns
) -> Iterator[Bench]:
    """Serve the database during the measurement, with a number of rounds."""
    server = launch(
        folder,
        database=database_url,
        environment={"DJANGO_SETTINGS_MODULE": settings, "RUNAI_ACCESS_SECRET_KEY": SECRET_KEY},
    )
    try:
        server.wait_until_ready(300)
        kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
        yield Bench(server, kind, rounds, turns)
    finally:
        server.kill()


def _row(group: str, view: View, found: list[dict[str, float]]) -> Row:
    middle = {name: median(figures[name] for figures in found) for name in found[0]}
    return row_of(
        group, view.name, [figures["server"] for figures in found], limit=view.limit,
        beside=view.beside, can_grow=view.can_grow, python_limit=view.python_limit,
        queries=round(middle["queries"]),
        cpu=middle["cpu"], sql=middle["sql"], python=middle["python"],
        more={"bytes": round(middle["bytes"])},
    )  # fmt: skip
