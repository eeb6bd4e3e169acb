"""Bring an installation up to date; what `serve` does before it serves."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection, transaction

from accessrules.callers import SYSTEM
from accessrules.models import Scope
from applications.keyring import KEYRING
from applications.models import Application
from runai_access import environment, example
from runai_access.accounts.actions import make_administrator
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password
from runai_access.api.throttles import forget_expired
from runai_access.commands import refusals_told

# Any number will do, as long as nobody else in the same database takes it for another purpose.
_PREPARING = 7_240_1001


class Command(BaseCommand):
    help = (
        "Migrates the database, collects static files, makes the first administrator and the "
        "example organisation, and clears what has expired. Doing it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # What is made here, a SQLite database with its sessions above all, is for its owner alone.
        os.umask(0o077)
        names = {"email": "RUNAI_ACCESS_ADMIN_EMAIL", "password": "RUNAI_ACCESS_ADMIN_PASSWORD"}
        try:
            with refusals_told(names), _alone():
                self._prepare()
        except OSError as error:
            raise CommandError(f"{settings.VAR_DIR} can't be written: {error}") from error

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        _collect_static_files()
        if not User.objects.exists():
            self._start_anew()
        # The first key is published before the first token is asked for; and a key that can't be
        # opened is told now, not by every request.
        KEYRING.current()
        forget_expired()
        call_command("clearsessions")

    def _start_anew(self) -> None:
        """Make the first administrator and the example organisation: both or, failing, neither."""
        email = environment.text("RUNAI_ACCESS_ADMIN_EMAIL", "admin@example.com")
        chosen = environment.text("RUNAI_ACCESS_ADMIN_PASSWORD")
        password = chosen or new_password()
        with_example = _is_empty() and environment.flag(
            "RUNAI_ACCESS_EXAMPLE", default=not environment.text("DATABASE_URL")
        )
        with transaction.atomic():
            make_administrator(caller=SYSTEM, email=email, password=password)
            if with_example:
                example.load()
        if with_example:
            self.stdout.write("Loaded a small example organisation.")
        told = "the one in RUNAI_ACCESS_ADMIN_PASSWORD" if chosen else password
        self.stdout.write(f"Made the first administrator: {email}, password: {told}")
        if not chosen:
            self.stdout.write("Store the password now; it is not shown again.")


def _is_empty() -> bool:
    return not (Application.objects.exists() or Scope.objects.filter(depth__gt=1).exists())


def _collect_static_files() -> None:
    """Run collectstatic, which takes seconds, only where a source file has changed since."""
    stamp = settings.VAR_DIR / "static.stamp"
    files = [
        storage.path(name) for finder in finders.get_finders() for name, storage in finder.list([])
    ]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode())
        digest.update(_content_digest(path))
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(digest.hexdigest())


def _content_digest(path: str) -> bytes:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


@contextmanager
def _alone() -> Iterator[None]:
    """Let only one process at a time prepare: on this machine, and of one PostgreSQL database."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "prepare.lock").open("w") as file:
        flock(file, LOCK_EX)
        if settings.IS_SQLITE:
            yield
            return
        own = connection.copy()
        try:
            with own.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [_PREPARING])
            yield
        finally:
            own.close()  # and with it the lock
