"""Tokens per second of a real server with two workers, compared with an empty view and a peer.

    python -m bench.tokens                        SQLite, in a temporary folder
    .ci/with-postgres python -m bench.tokens      PostgreSQL
    python -m bench.tokens --quick                a quick check, not a measurement

- known: a client that has authenticated before, on both token endpoints, relative to an empty view
  through the same middleware on the same server, measured in turns.
- django-oauth-toolkit with a hashed secret, served the same way on SQLite, in the same run.
- first: clients without a cached secret, one Argon2 run each.
- flood: wrong secrets from many addresses on all threads; the service for normal clients meanwhile, and
  the peak memory of a worker.

Prints a table and writes bench/var/tokens.json. Exits with 1 if a limit is missed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.load import Load, Request, load  # noqa: E402
from bench.oauth_toolkit import CLIENT_ID, SECRET  # noqa: E402
from tests.servers import Server, child_processes, free_port, launch  # noqa: E402

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
NEWCOMERS = 100
QUICK = "--quick" in sys.argv
ROUNDS, SECONDS = (2, 2.0) if QUICK else (7, 5.0)
IS_SQLITE = not os.environ.get("DATABASE_URL", "").startswith("postgres")
LIMITS = {
    "v1 / empty view": 0.5 if IS_SQLITE else 0.3,
    "v2 / empty view": 0.5 if IS_SQLITE else 0.3,
    "v2 / django-oauth-toolkit": 200.0,
    "first authentications a second": 80.0,
}
MAX_MEGABYTES = 150.0
# Runs in the server's process: creates a number of clients, each with a separate secret.
MAKE_CLIENTS = """
import json, sys
from accessrules.authorization.callers import SYSTEM
from applications.actions.creation import create_application
made = [create_application(caller=SYSTEM, name=f"newcomer-{n}") for n in range({count})]
print(json.dumps([(one.application.client_id, one.secret) for one in made]))
"""


@dataclass(frozen=True)
class Client:
    """The credentials of a client, and its address."""

    id: str
    secret: str
    address: str = "192.0.2.1"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        server = launch(
            Path(folder),
            database=os.environ.get("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3"),
            environment={
                "DJANGO_SETTINGS_MODULE": "bench.beside_settings",
                "RUNAI_ACCESS_TRUSTED_PROXIES": "127.0.0.1",
            },
        )
        try:
            server.wait_until_ready()
            clients = make_clients(server, NEWCOMERS + 20)
            figures = known(server, clients.pop(), Path(folder))
            figures |= first(server, [clients.pop() for _ in range(NEWCOMERS)])
            figures |= flood(server, clients)
        finally:
            server.kill()
    return report(figures)


def make_clients(server: Server, number: int) -> list[Client]:
    """Return a number of new clients."""
    done = server.command("shell", "-v0", "-c", MAKE_CLIENTS.replace("{count}", str(number)))
    made = json.loads(done.stdout)
    return [Client(id_, secret, f"192.0.2.{n}") for n, (id_, secret) in enumerate(made, 1)]


def known(server: Server, client: Client, folder: Path) -> dict[str, float]:
    """Measure in turns, so that other load affects all of them."""
    v1 = json.dumps(
        {"grantType": "client_credentials", "clientID": client.id, "clientSecret": client.secret}
    )
    asked = {
        "empty view": Request(f"{server.url}/bench/empty", v1, JSON),
        "v1": Request(f"{server.url}/api/v1/token", v1, JSON),
        "v2": Request(f"{server.url}/api/v2/token", form(client), FORM),
    }
    with toolkit(folder) as peer:
        asked["django-oauth-toolkit"] = peer
        for request in asked.values():
            load(request, seconds=2)
        rounds = [
            {
                name: answered(load(request, seconds=seconds(name)))
                for name, request in asked.items()
            }
            for _ in range(ROUNDS)
        ]
    figures = {f"{name} a second": median(r[name] for r in rounds) for name in asked}
    for name, base in (("v1", "empty view"), ("v2", "empty view"), ("v2", "django-oauth-toolkit")):
        figures[f"{name} / {base}"] = median(r[name] / r[base] for r in rounds)
    return figures


def seconds(name: str) -> float:
    return SECONDS if name != "django-oauth-toolkit" else 15.0  # it returns only a few per second


def answered(done: Load) -> float:
    if done.refused:
        raise AssertionError(f"{done.refused} requests were refused.")
    return done.per_second


def form(client: Client) -> str:
    return f"grant_type=client_credentials&client_id={client.id}&client_secret={client.secret}"


@contextmanager
def toolkit(folder: Path) -> Iterator[Request]:
    """Serve django-oauth-toolkit and yield its token request."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.oauth_toolkit", folder, str(port)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    client = Client(CLIENT_ID, SECRET)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and ask(f"http://127.0.0.1:{port}/token", client)[0] != 200:
            time.sleep(0.1)
        yield Request(f"http://127.0.0.1:{port}/token", form(client), FORM)
    finally:
        process.terminate()
        process.wait()


def ask(url: str, client: Client) -> tuple[int, float]:
    """Request a token once; return the status (0 for no response) and the seconds."""
    request = urllib.request.Request(  # noqa: S310  # a local URL
        url, form(client).encode(), {"X-Forwarded-For": client.address}
    )
    began = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            status: int = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    return status, time.perf_counter() - began


def first(server: Server, newcomers: list[Client]) -> dict[str, float]:
    """Authenticate clients without a cached secret, four at a time."""
    url, waiting = f"{server.url}/api/v2/token", list(newcomers[:-10])
    statuses: Counter[int] = Counter()

    def work() -> None:
        while waiting:
            statuses[ask(url, waiting.pop())[0]] += 1

    began = time.perf_counter()
    together([work] * 4)
    speed = statuses[200] / (time.perf_counter() - began)
    alone = [ask(url, client)[1] for client in newcomers[-10:]]
    return {
        "first authentications a second": speed,
        "first authentication, ms": median(alone) * 1000,
    }


def flood(server: Server, honest: list[Client]) -> dict[str, float]:
    """Send wrong secrets from new addresses, and request tokens for normal clients meanwhile."""
    url, until = f"{server.url}/api/v2/token", time.monotonic() + SECONDS * 4
    before, numbers = most_memory(server), count()
    refused: Counter[int] = Counter()
    ours: list[tuple[int, float]] = []

    def attack() -> None:
        while time.monotonic() < until:
            refused[ask(url, stranger(next(numbers)))[0]] += 1

    def behave() -> None:
        ours.extend(ask(url, client) for client in honest)
        while time.monotonic() < until:
            ours.append(ask(url, honest[0]))
            time.sleep(0.05)

    together([*[attack] * 16, behave])
    times = sorted(seconds for _, seconds in ours)
    return {
        "flood: wrong secrets per second": refused.total() / (SECONDS * 4),
        "flood: 5xx responses other than 503": sum(
            number for status, number in refused.items() if status >= 500 and status != 503
        ),
        "flood: normal clients refused": sum(status != 200 for status, _ in ours),
        "flood: normal clients, median ms": median(times) * 1000,
        "flood: normal clients, slowest ms": times[-1] * 1000,
        "peak memory of a worker before, MB": before,
        "peak memory of a worker after, MB": most_memory(server),
    }


def stranger(number: int) -> Client:
    """Return a client with a well-formed wrong secret and a unique address."""
    from applications.oauth.secrets import new_secret

    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return Client(f"stranger-{number}", new_secret(), address)


def most_memory(server: Server) -> float:
    """Return the peak memory of any worker in MB (`ru_maxrss` would be the parent's)."""
    peaks = []
    for pid in child_processes(server.process.pid):
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        peaks += [int(kib) / 1000 for kib in re.findall(r"VmHWM:\s+(\d+)", status)]
    return max(peaks)


def together(works: list[Any]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def report(figures: dict[str, float]) -> int:
    """Print and store the figures; return 1 if a limit is missed."""
    passed = [name for name, least in LIMITS.items() if figures[name] < least]
    passed += [
        name for name in figures if name.startswith("most memory") and figures[name] > MAX_MEGABYTES
    ]
    for name, figure in figures.items():
        limit = f"   at least {LIMITS[name]:g}" if name in LIMITS else ""
        print(f"{figure:>12,.2f}  {name}{limit}{'   MISSED' if name in passed else ''}")
    kept = ROOT / "bench" / "var" / "tokens.json"
    kept.parent.mkdir(exist_ok=True)
    database = "SQLite" if IS_SQLITE else "PostgreSQL"
    kept.write_text(
        json.dumps({"database": database, **figures}, indent=2) + "\n", encoding="utf-8"
    )
    return int(bool(passed))


if __name__ == "__main__":
    raise SystemExit(main())
