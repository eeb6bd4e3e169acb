"""An honest caller of the API beside a hostile one that sends the slowest requests.

    python -m bench.fairness                        SQLite, in a temporary folder
    .ci/with-postgres python -m bench.fairness      PostgreSQL
    python -m bench.fairness --quick                a quick check, not a measurement

The database holds the data of `bench.million` with 10,000 applications. The honest caller reads one
application 20 times a second, at fixed times, each on a new connection. The hostile caller sends the
slowest of some requests on eight connections as fast as it can, and ignores Retry-After. The burst of
a hostile caller ends when it is refused. Two servers
share the database: one with the default limit, the other with a limit that has no effect. The
situations take turns, so that other load affects all of them.

Prints the honest caller's median and 99th percentile, also relative to those alone, and the responses
to the hostile one. Writes bench/var/fairness-<database>.json. Exits with 1 if the honest caller is
limited, or if its median beside a limited hostile caller is more than three times that alone.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench.hostile import Client, Figures, figures
from bench.million.names import id_of
from tests.operations.writers import Access
from tests.processes import ROOT
from tests.servers import Server, launch

QUICK = "--quick" in sys.argv
SIZE = 500 if QUICK else 10_000
# A budget is full after 10 seconds, so each attack begins with a full one.
ROUNDS, SECONDS = (1, 3.0) if QUICK else (3, 10.0)
# The burst ends when the hostile caller has been refused this often, so in each worker.
REFUSALS = 1 if QUICK else 10
MAX_BURST_SECONDS = 6.0 if QUICK else 60.0
REQUESTS_PER_SECOND = 20
HOSTILE_CONNECTIONS = 8
LIMIT = "RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND"
# An empty setting is the default, unless the environment of the bench has another one.
LIMITS = (os.environ.get(LIMIT, ""), "1000000")
MAX_TIMES_ALONE = 3.0
RULES = "/api/v1/authorization/access-rules"
EXPENSIVE = (
    "/api/v1/apps?limit=1000",
    f"{RULES}?limit=500",
    f"{RULES}?limit=500&offset=15000&sortBy=scopeName",
    f"{RULES}?search=a&limit=500",
    "/api/v1/authorization/roles",
    "/api/v1/audit/log",
)
ONE = f"/api/v1/apps/{id_of(1)}"
ALONE = "alone"
LIMITED = "beside a hostile caller"
BURST = "in the burst of a hostile caller"
UNLIMITED = "beside a hostile caller without a limit"

Samples = tuple[list[float], Counter[int]]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        database = os.environ.get("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        key = {"RUNAI_ACCESS_SECRET_KEY": "a-key-that-all-test-servers-share-" + "x" * 16}
        subprocess.run(
            [sys.executable, "-m", "bench.million.data", str(SIZE)],
            cwd=ROOT, env={**os.environ, **key, "DATABASE_URL": database}, check=True,
        )  # fmt: skip
        servers = []
        try:
            for limit in LIMITS:
                server = launch(Path(folder), database=database, environment={LIMIT: limit})
                servers.append(server)
                server.wait_until_ready()
            path, rounds, refusals = measured(*servers)
        finally:
            for server in servers:
                server.kill()
    return report(path, rounds, refusals)


def measured(
    limited: Server, unlimited: Server
) -> tuple[str, dict[str, Figures], dict[str, Counter[int]]]:
    """Return the hostile path, the honest caller's figures, and the responses to the hostile one."""
    accesses = [Access.of_administrator(limited, name) for name in ("honest", "hostile")]
    tokens = {
        server.url: [access.token(server) for access in accesses] for server in (limited, unlimited)
    }
    path = slowest(unlimited, tokens[unlimited.url][1])
    seen: dict[str, Samples] = {
        name: ([], Counter()) for name in (ALONE, BURST, LIMITED, UNLIMITED)
    }
    answers = {LIMITED: Counter[int](), UNLIMITED: Counter[int]()}
    for number in range(ROUNDS + 1):
        if number == 1:  # the first round warms up
            for times, statuses in seen.values():
                times.clear()
                statuses.clear()
        honest, hostile = tokens[limited.url]
        observe(limited, honest, SECONDS, seen[ALONE])
        with attack(limited, hostile, path, answers[LIMITED]) as is_refused:
            until = time.monotonic() + MAX_BURST_SECONDS
            while not is_refused() and time.monotonic() < until:
                observe(limited, honest, 1.0, seen[BURST])
            observe(limited, honest, SECONDS, seen[LIMITED])
        honest, hostile = tokens[unlimited.url]
        with attack(unlimited, hostile, path, answers[UNLIMITED]):
            observe(unlimited, honest, SECONDS, seen[UNLIMITED])
    return path, {name: figures(*samples) for name, samples in seen.items()}, answers


def slowest(server: Server, token: str) -> str:
    """Return the slowest of the expensive requests."""
    connection = HTTPConnection("127.0.0.1", urlsplit(server.url).port or 0, timeout=60)
    times = {path: median(ask(connection, path, token)[0] for _ in range(5)) for path in EXPENSIVE}
    connection.close()
    return max(times, key=lambda path: times[path])


def ask(connection: HTTPConnection, path: str, token: str) -> tuple[float, int]:
    """Return the milliseconds and the status of a request, or status 0 without a response."""
    began = time.perf_counter()
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, HTTPException):
        status = 0
    return (time.perf_counter() - began) * 1000, status


def observe(server: Server, token: str, seconds: float, samples: Samples) -> None:
    """Send the honest caller's requests at fixed times, and collect milliseconds and statuses."""
    port = urlsplit(server.url).port or 0
    times, statuses = samples

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        milliseconds, status = ask(connection, ONE, token)
        connection.close()
        times.append(milliseconds)
        statuses[status] += 1

    began = time.monotonic()
    threads = []
    for number in range(round(seconds * REQUESTS_PER_SECOND)):
        time.sleep(max(0.0, began + number / REQUESTS_PER_SECOND - time.monotonic()))
        threads.append(threading.Thread(target=send))
        threads[-1].start()
    for thread in threads:
        thread.join()


@contextmanager
def attack(
    server: Server, token: str, path: str, answers: Counter[int]
) -> Iterator[Callable[[], bool]]:
    """Let the hostile caller send requests in a separate process; count the responses.

    Yields a function that returns whether it has used up its burst.
    """
    stop, refused = multiprocessing.Event(), multiprocessing.Event()
    results: multiprocessing.Queue[Counter[int]] = multiprocessing.Queue()
    process = multiprocessing.Process(
        target=attack_until, args=[stop, refused, results, urlsplit(server.url).port, token, path]
    )
    process.start()
    try:
        yield refused.is_set
    finally:
        stop.set()
        answers.update(results.get(timeout=120))
        process.join()


def attack_until(stop, refused, results, port, token, path) -> None:  # type: ignore[no-untyped-def]  # multiprocessing's types are functions
    client = Client(port, "GET", path, headers={"Authorization": f"Bearer {token}"})
    counts = [Counter[int]() for _ in range(HOSTILE_CONNECTIONS)]
    threads = [
        threading.Thread(target=client.run, args=[stop.is_set, [], count]) for count in counts
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(0.1):
        if sum(count[429] for count in counts) >= REFUSALS:
            refused.set()
    for thread in threads:
        thread.join()
    results.put(sum(counts, Counter()))


def report(path: str, rounds: dict[str, Figures], answers: dict[str, Counter[int]]) -> int:
    """Print and store the results; return the exit status."""
    alone = rounds[ALONE]
    print(f"The hostile caller sends GET {path}")
    print(f"{'the honest caller':42}{'median':>18}{'99th percentile':>22}  statuses")
    for name, one in rounds.items():
        middle = f"{one.median:.1f} ms ({one.median / alone.median:.1f})"
        high = f"{one.p99:.1f} ms ({one.p99 / alone.p99:.1f})"
        print(f"{name:42}{middle:>18}{high:>22}  {one.statuses}")
    for name, counter in answers.items():
        print(f"{name}: it got {dict(counter)}")
    missed = []
    if any(429 in one.statuses for one in rounds.values()):
        missed.append("the honest caller is limited")
    times = rounds[LIMITED].median / alone.median
    if times > MAX_TIMES_ALONE:
        missed.append(f"the median beside a hostile caller is {times:.1f} times that alone")
    print(f"{HOSTILE_CONNECTIONS} connections, {SIZE:,} applications")
    print("MISSED " + ("; ".join(missed) or "nothing"))
    database = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"
    file = Path(__file__).parent / "var" / f"fairness-{database}.json"
    file.parent.mkdir(exist_ok=True)
    results = {"hostile": path, "honest": rounds, "responses to the hostile caller": answers}
    file.write_text(json.dumps(results, default=vars, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
