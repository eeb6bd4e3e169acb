"""Prepare the installation, then become the production server."""

import os
import socket
import sys
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from accessrules.authorization.catalog import SYSTEM_ADMINISTRATOR_ID
from accessrules.models import ACCOUNT_PATH
from runai_access import environment
from runai_access.accounts.models import User
from runai_access.environment import START_MESSAGE

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # what an operator may have chosen


class Command(BaseCommand):
    help = "Prepares the installation and serves it until Ctrl-C or SIGTERM."
    # `prepare` migrates first; before that the checks of the database would find it lacking.
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        host = environment.text("RUNAI_ACCESS_HOST", "127.0.0.1")
        port = environment.port()
        _require_free(host, port)
        if host in _EVERYWHERE and _is_loopback(urlsplit(settings.PUBLIC_URL).hostname or ""):
            self.stderr.write(
                f"Warning: the server listens on all addresses, but RUNAI_ACCESS_URL is "
                f"{settings.PUBLIC_URL}. Set it to the URL that users and programs use."
            )
        call_command("prepare", stdout=self.stdout)
        self.stdout.flush()
        # The server's processes have no use for it any more.
        os.environ.pop("RUNAI_ACCESS_ADMIN_PASSWORD", None)
        # glibc would give each thread a heap of its own and keep in each the 19 MiB of an Argon2 run.
        os.environ.setdefault("MALLOC_ARENA_MAX", "1")
        # What is large goes back to the system at once, rather than leave a hole that small things
        # are put into; in huge pages that takes an Argon2 run no longer.
        os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(1024 * 1024))
        os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
        os.environ[START_MESSAGE] = _start_message()
        os.chdir(settings.BASE_DIR)
        os.execv(  # noqa: S606  (no shell is the point)
            sys.executable, [sys.executable, "-m", "runai_access.server", host, str(port)]
        )


def _start_message() -> str:
    """Return the text that names the URL, an administrator, and how to stop the server."""
    administrators = User.objects.filter(
        subject__enabled=True,
        subject__access_rules__role=SYSTEM_ADMINISTRATOR_ID,
        subject__access_rules__scope__path=ACCOUNT_PATH,
        subject__access_rules__deleted_at=None,
    )
    first = administrators.order_by("created_at").first()
    command = f"{os.path.relpath(sys.executable)} manage.py"
    if first:
        sign_in = (
            f"Sign in as {first.email}. Lost the password? {command} reset_password {first.email}"
        )
    else:
        sign_in = f"Nobody is System administrator. {command} create_admin EMAIL makes one."
    return f"runai-access is at {settings.PUBLIC_URL}\n{sign_in}\nCtrl-C stops it.\n"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_free(host: str, port: int) -> None:
    """Raise CommandError with a sentence where the server could not listen anyway."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise CommandError(
            f"Can't listen on {host}:{port} ({error.strerror}). Choose another with "
            "PORT and RUNAI_ACCESS_HOST."
        ) from error
