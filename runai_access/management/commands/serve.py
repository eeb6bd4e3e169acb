"""Prepare the installation, then run the production server."""

import os
import socket
import sys
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import CommandError, call_command

from accessrules.authorization.catalog import SYSTEM_ADMINISTRATOR_ID
from accessrules.models import ACCOUNT_PATH, AccessRule
from runai_access import environment
from runai_access.accounts.models import User
from runai_access.commands import OperatorCommand
from runai_access.environment import START_MESSAGE
from runai_access.metrics.publishing import create_folder

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # only compared


class Command(OperatorCommand):
    help = "Prepares the installation and serves it until Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        host = environment.text("RUNAI_ACCESS_HOST", "127.0.0.1")
        port = environment.port()
        _require_free(host, port)
        if settings.METRICS_PORT:
            _require_free(host, settings.METRICS_PORT)
        if host in _EVERYWHERE and _is_loopback(urlsplit(settings.PUBLIC_URL).hostname or ""):
            self.stderr.write(
                f"Warning: the server listens on all addresses, but RUNAI_ACCESS_URL is "
                f"{settings.PUBLIC_URL}. Set it to the URL that users and programs use."
            )
        call_command("prepare", stdout=self.stdout)
        if settings.METRICS_PORT:
            create_folder(port, settings.VAR_DIR)
        self.stdout.flush()
        # The server processes don't need it.
        os.environ.pop("RUNAI_ACCESS_ADMIN_PASSWORD", None)
        # glibc would create a heap per thread and keep the 19 MiB of an Argon2 run in each.
        os.environ.setdefault("MALLOC_ARENA_MAX", "1")
        # Large blocks are returned to the system immediately, so that they don't fragment the heap.
        # With huge pages, Argon2 is as fast as before.
        os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(1024 * 1024))
        os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
        os.environ[START_MESSAGE] = _start_message()
        if settings.IS_SOURCE_TREE:
            path = [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
        os.execv(  # noqa: S606  (no shell is the point)
            # -P: never import from the current folder.
            sys.executable,
            [sys.executable, "-P", "-m", "runai_access.server", host, str(port)],
        )


def _start_message() -> str:
    """Return the message with the URL, an administrator, and how to stop the server."""
    rules = AccessRule.objects.unexpired().filter(
        role=SYSTEM_ADMINISTRATOR_ID, scope__path=ACCOUNT_PATH
    )
    administrators = User.objects.filter(subject__enabled=True, subject__in=rules.values("subject"))
    first = administrators.order_by("created_at").first()
    command = settings.COMMAND
    if settings.IS_SOURCE_TREE:
        command = f"{os.path.relpath(sys.executable)} {command}"
    if first:
        sign_in = (
            f"Sign in as {first.email}. Lost the password? Run: "
            f"{command} reset_password {first.email}"
        )
    else:
        sign_in = f"There is no System administrator. Create one: {command} create_admin EMAIL"
    return (
        f"runai-access is running at {settings.PUBLIC_URL}\n{sign_in}\nPress Ctrl-C to stop it.\n"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_free(host: str, port: int) -> None:
    """Raise a clear CommandError if the server could not listen on this address."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise CommandError(
            f"Can't listen on {host}:{port} ({error.strerror}). Choose another address with PORT and "
            "RUNAI_ACCESS_HOST."
        ) from error
