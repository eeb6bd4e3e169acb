"""Print the start message once a worker answers on the port."""

import encodings.idna  # noqa: F401  # imported by the first connection otherwise: see START_SECONDS
import sys
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

# Workers are forked within milliseconds of the start, and take longer than this to load. Until then
# the thread only sleeps, so that no worker inherits a lock it holds.
START_SECONDS = 0.5
_POLL_SECONDS = 0.1
_TIMEOUT_SECONDS = 5


def announce_when_serving(host: str, port: int, text: str) -> None:
    """Write `text` to standard output once /healthz answers; return immediately."""
    threading.Thread(target=_announce, args=[host, port, text], daemon=True).start()


def _announce(host: str, port: int, text: str) -> None:
    time.sleep(START_SECONDS)
    while not _answers(host, port):
        time.sleep(_POLL_SECONDS)
    with suppress(OSError):  # standard output is closed
        sys.stdout.write(text)
        sys.stdout.flush()


def _answers(host: str, port: int) -> bool:
    # Connecting to 0.0.0.0 or :: connects to this machine.
    with closing(HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
