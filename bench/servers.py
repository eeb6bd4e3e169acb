"""Comparison of servers: the same application on each, measured in turns.

    python -m bench.servers            medians of seven rounds, SQLite in a temporary folder
    python -m bench.servers --quick    a quick check, not a measurement

Each serves the whole application with two workers and the same number of threads: our gateway on
granian's RSGI interface; granian's WSGI interface, waitress and gunicorn with default settings.
Measured are an empty view through the same middleware, a token for a cached secret, and the sign-in
page. The last column shows whether a server serves others during 96 requests with unfinished bodies:
granian's WSGI interface and gunicorn's threads read bodies in the thread that answers.

Prints a table and writes bench/var/servers.json.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from bench.load import Load, Request, load
from runai_access import environment
from tests.operations.unfinished import held
from tests.operations.writers import Access
from tests.processes import ROOT
from tests.servers import Server, free_port, manage, server_environment, status_of

QUICK = "--quick" in sys.argv
ROUNDS, SECONDS = (2, 2.0) if QUICK else (7, 4.0)
WORKERS = 2
THREADS = environment.threads()
# More than all threads of all workers.
UNFINISHED = 4 * WORKERS * THREADS
FORM = "application/x-www-form-urlencoded"
WSGI = "runai_access.wsgi:application"
GRANIAN = [
    "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--workers", str(WORKERS),
    "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "error", WSGI, "--port",
]  # fmt: skip
GUNICORN = [
    "gunicorn", "--workers", str(WORKERS), "--threads", str(THREADS), "--worker-class", "gthread",
    "--log-level", "error", WSGI, "--bind",
]  # fmt: skip
SERVERS = {
    "gateway": ["runai_access.server", "127.0.0.1"],
    "granian WSGI": GRANIAN,
    "waitress": ["bench.servers", "--waitress"],
    "gunicorn": GUNICORN,
}


def main() -> int:
    if "--waitress" in sys.argv:
        return waitress(int(sys.argv[-1]))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        environment = server_environment(
            {
                "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
                "DJANGO_SETTINGS_MODULE": "bench.beside_settings",
                "RUNAI_ACCESS_SECRET_KEY": "only-for-this-bench-" + "x" * 32,
                "MALLOC_ARENA_MAX": "1",
            }
        )
        manage("prepare", environment=environment)
        urls = {
            name: stack.enter_context(running(command, environment, Path(folder)))
            for name, command in SERVERS.items()
        }
        first = Server(urls["gateway"], "", environment, Path(folder), None)  # type: ignore[arg-type]  # not stopped here
        access = Access.of_administrator(first)
        rates = {name: rates_of(name, urls[name], access) for name in SERVERS}
        rounds = [{n: rates_of(n, urls[n], access) for n in SERVERS} for _ in range(ROUNDS)]
        rates = {
            name: {what: median(r[name][what] for r in rounds) for what in rates[name]}
            for name in SERVERS
        }
        survives = {name: serves_beside_unfinished(url) for name, url in urls.items()}
    return report(rates, survives)


@contextmanager
def running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[str]:
    """Run a server on a free port; yield its URL."""
    port = free_port()
    address = f"127.0.0.1:{port}" if command[0] == "gunicorn" else str(port)
    with (folder / f"{command[0]}-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, address],
            cwd=ROOT, env=environment, stdout=log, stderr=log, process_group=0,
        )  # fmt: skip
        try:
            until = time.monotonic() + 60
            while status_of(f"http://127.0.0.1:{port}/sign-in/") != 200:
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(Path(log.name).read_text())
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def waitress(port: int) -> int:
    """Serve with two waitress processes that share the port."""
    import socket

    from waitress import serve

    from runai_access.wsgi import application

    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    for _ in range(WORKERS - 1):
        os.fork()
    serve(application, sockets=[listener], threads=THREADS, connection_limit=10_000)
    return 0


def rates_of(name: str, url: str, access: Access) -> dict[str, float]:
    form = {
        "grant_type": "client_credentials",
        "client_id": access.client_id,
        "client_secret": access.secret,
    }
    asked = {
        "empty view": Request(f"{url}/bench/empty", "a=b", FORM),
        "token": Request(f"{url}/api/v2/token", urlencode(form), FORM),
        "page": Request(f"{url}/sign-in/", "", FORM, method="GET"),
    }
    return {what: answered(name, load(one, seconds=SECONDS)) for what, one in asked.items()}


def answered(name: str, done: Load) -> float:
    if done.refused:
        print(f"{name}: {done.refused} refused", file=sys.stderr)
    return done.per_second


def serves_beside_unfinished(url: str) -> bool:
    """Return whether a page is served within five seconds during unfinished bodies."""
    with held({"body": UNFINISHED}, int(url.rpartition(":")[2])):
        return status_of(f"{url}/sign-in/") == 200


def report(rates: dict[str, dict[str, float]], survives: dict[str, bool]) -> int:
    usual = rates["granian WSGI"]
    columns = "".join(f"{what:>20}" for what in usual)
    print(f"{'responses per second (to WSGI)':28}{columns}{'unfinished bodies':>24}")
    for name, row in rates.items():
        cells = "".join(
            f"{f'{rate:.0f} ({rate / usual[what]:.2f})':>20}" for what, rate in row.items()
        )
        print(f"{name:28}{cells}{'others are served' if survives[name] else 'hangs':>24}")
    file = Path(__file__).parent / "var" / "servers.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        json.dumps({"rates": rates, "serves beside unfinished bodies": survives}, indent=1)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
