"""Say that the server is there when it is: not before a worker answers on the port."""

import sys
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

_POLL_SECONDS = 0.1
_TIMEOUT_SECONDS = 5


def announce_when_serving(host: str, port: int, text: str) -> None:
    """Write `text` to standard output, once, as soon as /healthz answers; return immediately."""
    threading.Thread(target=_announce, args=[host, port, text], daemon=True).start()


def _announce(host: str, port: int, text: str) -> None:
    while not _answers(host, port):
        time.sleep(_POLL_SECONDS)
    with suppress(OSError):  # nobody reads the output any more
        sys.stdout.write(text)
        sys.stdout.flush()


def _answers(host: str, port: int) -> bool:
    # To connect to the address that means "all" is to connect to this machine.
    with closing(HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
