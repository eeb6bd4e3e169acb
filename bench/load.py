"""Load on a server: one request, sent repeatedly over persistent connections.

Uses `wrk` if it is installed, which needs little CPU time. Otherwise a Python process sends the
requests, which lowers all figures, including the baseline.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

CONNECTIONS = 8


@dataclass(frozen=True)
class Request:
    """A request, by default a POST."""

    url: str
    body: str
    content_type: str
    method: str = "POST"


@dataclass(frozen=True)
class Load:
    """The results: responses per second, and how many were not 2xx."""

    per_second: float
    refused: int


def load(request: Request, *, seconds: float) -> Load:
    """Send `request` for `seconds` and return the rate of responses."""
    if shutil.which("wrk"):
        return _by_wrk(request, seconds)
    command = [sys.executable, __file__, json.dumps(asdict(request)), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout))


def _by_wrk(request: Request, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "request.lua"
        script.write_text(
            f"wrk.method = '{request.method}'\nwrk.body = {json.dumps(request.body)}\n"
            f"wrk.headers['Content-Type'] = '{request.content_type}'\n",
            encoding="utf-8",
        )
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "30s"]
        done = subprocess.run(
            ["wrk", *options, "-s", script, request.url],  # noqa: S607  # checked above
            capture_output=True,
            text=True,
            check=True,
        )
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    return Load(float(rate[1]) if rate else 0.0, int(refused[1]) if refused else 0)


def _by_ourselves(request: Request, seconds: float) -> Load:
    until = time.monotonic() + seconds
    answered: list[bool] = []
    threads = [
        threading.Thread(target=_send, args=[request, until, answered]) for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(len(answered) / seconds, answered.count(False))


def _send(request: Request, until: float, answered: list[bool]) -> None:
    parts = urlsplit(request.url)
    message = (
        f"{request.method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n\r\n"
        f"{request.body}"
    ).encode()
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
        while time.monotonic() < until:
            connection.sendall(message)
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            missing = int(length[1]) - len(body) if length else 0
            while missing > 0:
                missing -= len(connection.recv(65536))
            while not length and not body.endswith(b"0\r\n\r\n"):  # chunked (RFC 9112 §7.1)
                body += connection.recv(65536)
            answered.append(head.split(b" ", 2)[1].startswith(b"2"))


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps(asdict(_by_ourselves(Request(**json.loads(sys.argv[1])), float(sys.argv[2]))))
    )
