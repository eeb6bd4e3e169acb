"""The WSGI environment of a request (PEP 3333)."""

import sys
from functools import lru_cache
from typing import Any

from runai_access.server.bodies import Body
from runai_access.server.rsgi import Scope


@lru_cache(maxsize=256)
def _usual_key(name: str) -> str:
    return _make_key(name)


def _make_key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if name in ("content-type", "content-length") else f"HTTP_{key}"


def environ_of(scope: Scope, body: Body) -> dict[str, Any]:
    """Return the WSGI environment of a request.

    Headers with an underscore in their name are ignored. In WSGI `X_Forwarded_For` and
    `X-Forwarded-For` have the same name, so a client could override what a proxy wrote.
    """
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body.stream,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "runai_access.peer": scope.client,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        # A client can send any name, so only short names are cached.
        key = _usual_key(name) if len(name) <= 64 else _make_key(name)
        if key not in environ:
            environ[key] = value
        else:
            # Joined as in RFC 9110 §5.3, except cookies (RFC 6265 §4.2.1).
            environ[key] += ("; " if name == "cookie" else ",") + value
    environ["CONTENT_LENGTH"] = body.length
    return environ
