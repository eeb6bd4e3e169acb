"""CPU time of the token endpoints in one process, without the server, next to two empty views.

    python -m bench.token_path                        SQLite, in a temporary folder
    .ci/with-postgres python -m bench.token_path      PostgreSQL

- empty: an empty view through the same middleware.
- floor: the same view with nothing but the query and the signature of a token.
- v1, v2: a token for a client that has authenticated before.

Prints the microseconds of each, and how many requests take as long as one of an empty view. The
requests are measured in short turns, because other load on the machine affects the figures: it takes
the processor caches, which tokens need more than an empty view.
"""

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import Request
from runai_access.server.frames import with_space_for_frames

ROUNDS, REQUESTS = 40, 150
ADDRESS = "192.0.2.1"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        os.environ.setdefault("RUNAI_ACCESS_SECRET_KEY", "only-for-this-benchmark-" * 3)
        os.environ["RUNAI_ACCESS_VAR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "bench.beside_settings"
        django.setup()
        # As in the threads of the server.
        report(with_space_for_frames(measure)(requests()))


def requests() -> dict[str, Request]:
    """Create a database and a client; return the requests by name."""
    from django.core.management import call_command

    from accessrules.authorization.callers import SYSTEM
    from applications.actions.creation import create_application

    call_command("migrate", verbosity=0)
    made = create_application(caller=SYSTEM, name="client")
    credentials = {"clientID": made.application.client_id, "clientSecret": made.secret}
    v1 = json.dumps({"grantType": "client_credentials", **credentials})
    v2 = f"grant_type=client_credentials&client_id=client&client_secret={made.secret}"
    return {
        "empty": Request("/bench/empty", v1, "application/json"),
        "floor": Request("/bench/floor", v1, "application/json"),
        "v1": Request("/api/v1/token", v1, "application/json"),
        "v2": Request("/api/v2/token", v2, "application/x-www-form-urlencoded"),
    }


def measure(asked: dict[str, Request]) -> dict[str, list[float]]:
    """Return the microseconds of CPU time per request, one figure for each round."""
    from runai_access.server.application import import_and_freeze_code
    from runai_access.wsgi import application

    import_and_freeze_code()
    figures: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(1 + ROUNDS):
        for name, request in asked.items():
            began = time.process_time()
            for _ in range(REQUESTS):
                send(application, request)
            figures[name].append((time.process_time() - began) / REQUESTS * 1_000_000)
    return {name: rounds[1:] for name, rounds in figures.items()}


def send(application: Callable[..., Any], request: Request) -> None:
    body = request.body.encode()
    environ = {
        "REQUEST_METHOD": request.method, "PATH_INFO": request.url, "SCRIPT_NAME": "",
        "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": ADDRESS, "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_USER_AGENT": "bench", "CONTENT_TYPE": request.content_type,
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
    }  # fmt: skip
    statuses: list[str] = []
    response = application(environ, lambda status, _: statuses.append(status))
    b"".join(response)
    response.close()
    if statuses != ["200 OK"]:
        raise AssertionError(f"{request.url}: {statuses}")


def report(figures: dict[str, list[float]]) -> None:
    for name, rounds in figures.items():
        ratio = median(empty / one for empty, one in zip(figures["empty"], rounds, strict=True))
        print(f"{name:<6} least {min(rounds):5.0f}  median {median(rounds):5.0f} µs  {ratio:.2f}")


if __name__ == "__main__":
    main()
