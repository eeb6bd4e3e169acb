"""Backup of a PostgreSQL database with pg_dump."""

import os
import subprocess
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from runai_access.errors import DomainError

# Parameters of psycopg and Django that libpq does not know.
_NOT_OF_LIBPQ = {"prepare_threshold", "cursor_factory", "context", "password"}


class DumpFailed(DomainError):
    """pg_dump failed; the message says why."""


def dump(file: Path) -> None:
    """Write the database to a new file in pg_dump's custom format, completely or not at all."""
    parameters = connection.get_connection_params()
    conninfo = {name: value for name, value in parameters.items() if name not in _NOT_OF_LIBPQ}
    draft = file.with_name(f"{file.name}.partial")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    command = ["pg_dump", "--format=custom", f"--file={draft}", make_conninfo(**conninfo)]
    # Other users of the machine can read a command line, but not the environment.
    environment = {**os.environ, "PGPASSWORD": str(parameters.get("password") or "")}
    try:
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise DumpFailed(f"pg_dump failed: {done.stderr.strip()}")
        os.link(draft, file)  # raises FileExistsError instead of replacing a file
    except FileNotFoundError as error:
        raise DumpFailed("pg_dump is not installed. Install PostgreSQL's client.") from error
    finally:
        draft.unlink(missing_ok=True)
