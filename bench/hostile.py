"""The effect of attacks on normal clients: unfinished requests, and guesses of passwords and secrets.

    python -m bench.hostile                        SQLite, in a temporary folder
    .ci/with-postgres python -m bench.hostile      PostgreSQL
    python -m bench.hostile --quick                a quick check, not a measurement

Normal clients request health, a page and a token over persistent connections: first alone, then during
each kind of attack, then alone again. Prints the median and the 99th percentile of each in milliseconds
and the peak memory of a worker, and writes bench/var/hostile-<database>.json. Exits with 1 if a 99th
percentile is more than twice its idle value, or if a normal request is refused.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from multiprocessing import Process
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from applications.oauth.secrets import new_secret
from tests.operations.unfinished import KINDS, held
from tests.operations.writers import Access
from tests.servers import Server, child_processes, launch

QUICK = "--quick" in sys.argv
SECONDS = 3.0 if QUICK else 15.0
UNFINISHED = 100 if QUICK else 500
GUESSERS = 40
CSRF = "x" * 32
MAX_TIMES_IDLE = 2.0
# Below this, a ratio says more about the machine than about the server.
FLOOR_MS = 10.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Client:
    """One connection that sends the same request repeatedly."""

    port: int
    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def run(self, until: Callable[[], bool], times: list[float], statuses: Counter[int]) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not until():
            began = time.perf_counter()
            try:
                connection.request(self.method, self.path, self.body or None, self.headers)
                answer = connection.getresponse()
                answer.read()
                statuses[answer.status] += 1
            except (OSError, HTTPException):
                statuses[0] += 1
                connection.close()
            times.append((time.perf_counter() - began) * 1000)
        connection.close()


@dataclass(frozen=True)
class Figures:
    """The results of one kind of normal client: milliseconds, and responses by status."""

    median: float
    p99: float
    statuses: dict[int, int]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        server = launch(
            Path(folder),
            database=os.environ.get("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3"),
            environment={"RUNAI_ACCESS_TRUSTED_PROXIES": "127.0.0.1"},
        )
        try:
            server.wait_until_ready()
            rounds = dict(measured(server))
        finally:
            server.kill()
    return report(rounds)


def measured(server: Server) -> Iterator[tuple[str, dict[str, Figures | float]]]:
    """Yield the name of each situation and the results of normal clients in it."""
    port = urlsplit(server.url).port or 0
    clients = honest(server, port)
    for _ in range(4):  # on new connections, so that every worker caches the secret
        observe(dict.fromkeys(range(4), clients["token"]), 0.5)
    strangers: dict[str, Callable[[], object]] = {
        "idle": ExitStack,
        "unfinished requests": lambda: held(dict.fromkeys(KINDS, UNFINISHED), port),
        "alone after them": ExitStack,
        "wrong passwords, one address": lambda: guessing(port, password_guess, same_address=True),
        "wrong passwords, new addresses": lambda: guessing(
            port, password_guess, same_address=False
        ),
        "wrong secrets, one address": lambda: guessing(port, secret_guess, same_address=True),
        "wrong secrets, new addresses": lambda: guessing(port, secret_guess, same_address=False),
        "alone at the end": ExitStack,
    }
    for name, hostile in strangers.items():
        with hostile():  # type: ignore[attr-defined]  # each is a context manager
            yield name, {**observe(clients, SECONDS), "megabytes": memory(server)}


def honest(server: Server, port: int) -> dict[str, Client]:
    access = Access.of_administrator(server)
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.secret,
        }
    )
    return {
        "health": Client(port, "GET", "/healthz"),
        "page": Client(port, "GET", "/sign-in/"),
        "token": Client(port, "POST", "/api/v2/token", form, FORM),
    }


def observe(clients: dict[Any, Client], seconds: float) -> dict[Any, Figures]:
    """Run the normal clients in parallel for a number of seconds."""
    end = time.monotonic() + seconds
    seen: dict[str, tuple[list[float], Counter[int]]] = {name: ([], Counter()) for name in clients}
    threads = [
        threading.Thread(target=client.run, args=[lambda: time.monotonic() > end, *seen[name]])
        for name, client in clients.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {name: figures(*seen[name]) for name in clients}


def figures(times: list[float], statuses: Counter[int]) -> Figures:
    ordered = sorted(times)
    return Figures(ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], dict(statuses))


@contextmanager
def guessing(port: int, guess: Callable[[], str], *, same_address: bool) -> Iterator[None]:
    """Guess on many connections in parallel, in a separate process."""
    process = Process(target=guess_for_ever, args=[port, guess, same_address], daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def guess_for_ever(port: int, guess: Callable[[], str], same_address: bool) -> None:
    numbers = count(1)

    def guesser() -> None:
        while True:
            number = 1 if same_address else next(numbers)
            address = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
            path, body = guess().split("?", 1)
            headers = {
                **FORM,
                "X-Forwarded-For": address,
                "Cookie": f"runai-access-{port}-csrf={CSRF}",
            }
            once = iter([False, True])
            Client(port, "POST", path, body, headers).run(once.__next__, [], Counter())

    threads = [threading.Thread(target=guesser) for _ in range(GUESSERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def password_guess() -> str:
    # Cookie and field match, as Django's double-submit check requires.
    form = {
        "csrfmiddlewaretoken": CSRF,
        "email": "alex.admin@example.com",
        "password": os.urandom(8).hex(),
    }
    return f"/sign-in/?{urlencode(form)}"


def secret_guess() -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": f"guess-{os.urandom(4).hex()}",
        "client_secret": new_secret(),
    }
    return f"/api/v2/token?{urlencode(form)}"


def memory(server: Server) -> float:
    """Return the peak memory of any worker in megabytes."""
    if not Path("/proc/self/status").exists():
        return 0.0
    sizes = []
    for pid in child_processes(server.process.pid):
        status = Path(f"/proc/{pid}/status").read_text()
        sizes.append(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
    return max(sizes, default=0.0)


def report(rounds: dict[str, dict[str, Figures | float]]) -> int:
    """Print and store the results; return the exit status."""
    missed = []
    columns = "".join(f"{name:>20}" for name in ("health", "page", "token", "peak MB"))
    print(f"{'ms: median / 99th percentile':34}{columns}")
    for name, seen in rounds.items():
        cells = [
            f"{one.median:.1f} / {one.p99:.1f}" if isinstance(one, Figures) else f"{one:.0f}"
            for one in seen.values()
        ]
        print(f"{name:34}" + "".join(f"{cell:>20}" for cell in cells))
        missed += [f"{name}: {fault}" for fault in faults(seen, rounds["idle"])]
    print("MISSED " + ("; ".join(missed) or "nothing"))
    database = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"
    file = Path(__file__).parent / "var" / f"hostile-{database}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(rounds, default=vars, indent=1))
    return 1 if missed else 0


def faults(seen: dict[str, Figures | float], idle: dict[str, Figures | float]) -> Iterator[str]:
    for kind, one in seen.items():
        usual = idle[kind]
        if not isinstance(one, Figures) or not isinstance(usual, Figures):
            continue
        if one.p99 > max(FLOOR_MS, MAX_TIMES_IDLE * usual.p99):
            yield f"the 99th percentile of {kind} is {one.p99 / usual.p99:.1f} times its idle value"
        if set(one.statuses) != {200}:
            yield f"{kind} got the responses {one.statuses}"


if __name__ == "__main__":
    sys.exit(main())
