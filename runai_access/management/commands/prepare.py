"""Prepare an installation: migrate, collect static files, create the first administrator."""

import hashlib
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accessrules.authorization.callers import SYSTEM
from accessrules.models import Scope
from applications.models import Application
from applications.oauth.keyring import KEYRING
from runai_access import environment, example
from runai_access.accounts.actions import make_administrator
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.db import exclusive
from runai_access.db.leases import FileLease


class Command(OperatorCommand):
    help = (
        "Migrates the database, collects static files, and creates the first administrator and the "
        "example organization. You can run it again safely; `serve` runs it too."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # Only the owner can read the files created here, such as the SQLite database with sessions.
        os.umask(0o077)
        names = {"email": "RUNAI_ACCESS_ADMIN_EMAIL", "password": "RUNAI_ACCESS_ADMIN_PASSWORD"}
        try:
            settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
            with report_refusals(names), exclusive.database(connection, self.stdout):
                self._prepare()
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=130) from None
        except OSError as error:
            path = error.filename or settings.VAR_DIR
            raise CommandError(f"Can't write to {path}: {error.strerror or error}") from error

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0, interactive=False, is_exclusive=True)
        files = FileLease(settings.VAR_DIR / "prepare.lock")
        with exclusive.held(files, f"writing to {settings.VAR_DIR}", self.stdout):
            _collect_static_files()
        # Read on every start, so that an invalid value is reported even if it is not used.
        wants_example = environment.flag(
            "RUNAI_ACCESS_EXAMPLE", default=not environment.text_or_file("DATABASE_URL")
        )
        if not User.objects.exists():
            self._create_first_data(wants_example)
        elif environment.text("RUNAI_ACCESS_ADMIN_PASSWORD"):
            self.stdout.write(
                "RUNAI_ACCESS_ADMIN_PASSWORD is ignored, because users already exist. Remove it. "
                f"To reset a password, run: {settings.COMMAND} reset_password EMAIL"
            )
        # Creates the first signing key before the first token request. A key that can't be decrypted
        # is reported now instead of by every request.
        KEYRING.current()

    def _create_first_data(self, wants_example: bool) -> None:
        """Create the first administrator and the example organization in one transaction."""
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
        shown = "the one in RUNAI_ACCESS_ADMIN_PASSWORD" if chosen else password
        self.stdout.write(f"Created the first administrator: {email}, password: {shown}")
        if not chosen:
            self.stdout.write("Save the password now. You won't see it again.")


def _is_empty() -> bool:
    return not (Application.objects.exists() or Scope.objects.filter(depth__gt=1).exists())


def _collect_static_files() -> None:
    """Run collectstatic, which is slow, only if a source file has changed."""
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
