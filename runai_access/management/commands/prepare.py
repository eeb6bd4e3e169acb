"""Bring an installation up to date; what `serve` does before it serves."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection, transaction

from accessrules.authorization.callers import SYSTEM
from accessrules.models import Scope
from applications.models import Application
from applications.oauth.keyring import KEYRING
from runai_access import environment, example
from runai_access.accounts.actions import make_administrator
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password
from runai_access.commands import report_refusals
from runai_access.db.leases import (
    EXPIRY_SECONDS,
    RENEWAL_SECONDS,
    FileLease,
    Lease,
    LeaseLost,
    lease_for,
)

WAIT_NOTICE_SECONDS = 5.0
WAIT_LIMIT_SECONDS = 10 * 60.0
WAIT_POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Migrates the database, collects static files, and creates the first administrator and the "
        "example organization. Running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # What is made here, a SQLite database with its sessions above all, is for its owner alone.
        os.umask(0o077)
        names = {"email": "RUNAI_ACCESS_ADMIN_EMAIL", "password": "RUNAI_ACCESS_ADMIN_PASSWORD"}
        database = lease_for(connection, "prepare", expiry=EXPIRY_SECONDS, renewal=RENEWAL_SECONDS)
        try:
            settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
            with (
                report_refusals(names),
                self._held(database, "preparing this database"),
                connection.execute_wrapper(_only_while_held(database)),
            ):
                self._prepare()
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=130) from None
        except OSError as error:
            path = error.filename or settings.VAR_DIR
            raise CommandError(f"{path} can't be written: {error.strerror or error}") from error
        except LeaseLost as error:
            raise CommandError(
                "Stopped, because another instance can be preparing this database by now: the "
                f"database did not answer for {EXPIRY_SECONDS:.0f} seconds. Start again."
            ) from error

    @contextmanager
    def _held(self, lease: Lease, action: str) -> Iterator[None]:
        """Hold a lease; wait for it while another instance does what `action` says."""
        try:
            self._wait_for(lease, action)
            yield
        finally:
            lease.release()

    def _wait_for(self, lease: Lease, action: str) -> None:
        # Polled: a lock that blocks would last as long as a session, and Ctrl-C could not end it.
        started, is_reported = time.monotonic(), False
        while not lease.try_acquire():
            waited = time.monotonic() - started
            if waited >= WAIT_LIMIT_SECONDS:
                raise CommandError(
                    f"Gave up after {WAIT_LIMIT_SECONDS / 60:.0f} minutes: another instance is "
                    f"{action}: {lease.holder()}. Wait until it is done, or stop it, and start again."
                )
            if waited >= WAIT_NOTICE_SECONDS and not is_reported:
                self.stdout.write(f"Waiting for another instance that is {action}.")
                self.stdout.flush()
                is_reported = True
            time.sleep(WAIT_POLL_SECONDS)

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        files = FileLease(settings.VAR_DIR / "prepare.lock")
        with self._held(files, f"writing to {settings.VAR_DIR}"):
            _collect_static_files()
        # Read on every start: a bad value must not go unnoticed until an empty database meets it.
        wants_example = environment.flag(
            "RUNAI_ACCESS_EXAMPLE", default=not environment.text("DATABASE_URL")
        )
        if not User.objects.exists():
            self._start_anew(wants_example)
        elif environment.text("RUNAI_ACCESS_ADMIN_PASSWORD"):
            self.stdout.write(
                "RUNAI_ACCESS_ADMIN_PASSWORD is ignored, because there are users already. "
                "Remove it; manage.py reset_password EMAIL resets a password."
            )
        # The first key is published before the first token is asked for; and a key that can't be
        # opened is told now, not by every request.
        KEYRING.current()

    def _start_anew(self, wants_example: bool) -> None:
        """Make the first administrator and the example organization: both or, failing, neither."""
        email = environment.text("RUNAI_ACCESS_ADMIN_EMAIL", "admin@example.com")
        chosen = environment.text("RUNAI_ACCESS_ADMIN_PASSWORD")
        password = chosen or new_password()
        with_example = wants_example and _is_empty()
        with transaction.atomic():
            make_administrator(caller=SYSTEM, email=email, password=password)
            if with_example:
                example.load()
        if with_example:
            self.stdout.write("Loaded a small example organization.")
        told = "the one in RUNAI_ACCESS_ADMIN_PASSWORD" if chosen else password
        self.stdout.write(f"Made the first administrator: {email}, password: {told}")
        if not chosen:
            self.stdout.write("Store the password now; it is not shown again.")


def _only_while_held(lease: Lease) -> Callable[..., Any]:
    """Return a wrapper of statements that runs none once the lease is lost."""

    def run(execute: Callable[..., Any], *statement: Any) -> Any:
        lease.require_held()
        return execute(*statement)

    return run


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
