"""Online backup of an SQLite database, and its restore."""

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from applications.models import SigningKey
from applications.oauth.signing_keys import decrypt_key
from runai_access.errors import DomainError

_PARTS = ("", "-wal", "-shm")


class InvalidBackup(DomainError):
    """A file that can't be restored; the message says why."""


def back_up(database: Path, file: Path) -> None:
    """Copy a database that can be in use to a new file, completely or not at all. Raises OSError."""
    draft = file.with_name(f"{file.name}.partial")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        # One step and so one snapshot: in WAL mode writers do not wait for it.
        with closing(_open(database)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # a single file
        require_intact(draft)
        _flush(draft)
        os.link(draft, file)  # raises FileExistsError instead of replacing a file
        _flush(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def require_intact(file: Path) -> None:
    """Raise InvalidBackup unless the file is an intact database of this product."""
    try:
        with closing(_open(file)) as source:
            [result] = source.execute("PRAGMA integrity_check(1)").fetchone()
            if result != "ok":
                raise InvalidBackup(f"{file} is damaged: {result}")
            source.execute("SELECT 1 FROM django_migrations, accessrules_role LIMIT 1")
    except sqlite3.Error as error:
        raise InvalidBackup(f"{file} is not a backup of runai-access: {error}") from error


def require_secret_key(file: Path) -> None:
    """Raise ImproperlyConfigured unless the secret key decrypts the signing keys in the file."""
    with closing(_open(file)) as source:
        rows = source.execute("SELECT kid, encrypted_private_key FROM applications_signingkey")
        for kid, encrypted in rows:
            decrypt_key(SigningKey(kid=kid, encrypted_private_key=encrypted))


def replace(database: Path, file: Path, now: datetime) -> Path | None:
    """Replace the database by a copy of the file; return where the former database is now, if any.

    Nobody can use the database meanwhile. Raises OSError.
    """
    draft = database.with_name(f"{database.name}.restored")
    draft.unlink(missing_ok=True)
    back_up(file, draft)
    former = database.with_name(f"{database.name}.replaced-{now:%Y%m%dT%H%M%S}")
    is_there = database.exists()
    # The main file first: a kill in between leaves no database, rather than one with a wrong WAL file.
    for part in _PARTS:
        source = database.with_name(database.name + part)
        if source.exists():
            source.rename(former.with_name(former.name + part))
    draft.replace(database)
    _flush(database.parent)
    return former if is_there else None


def _open(file: Path) -> sqlite3.Connection:
    """Open an existing database for reading."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
