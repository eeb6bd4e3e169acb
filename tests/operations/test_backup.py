"""A restored backup and a copied database serve old secrets, and their audit logs verify."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from runai_access.settings import IS_SQLITE
from tests.conftest import StartServer, skip_for_missing_tool
from tests.servers import Server, fresh_database, manage, server_environment

ON_SQLITE = pytest.mark.skipif(not IS_SQLITE, reason="for SQLite")
ON_POSTGRESQL = pytest.mark.skipif(IS_SQLITE, reason="for PostgreSQL")


def new_client(environment: dict[str, str], name: str) -> dict[str, str]:
    """Create an application; return the form of its token request."""
    created = manage("create_application", name, "--json", environment=environment)
    assert created.returncode == 0, created.stderr
    answer = json.loads(created.stdout)
    return {
        "grant_type": "client_credentials",
        "client_id": answer["clientId"],
        "client_secret": answer["clientSecret"],
    }


def token_status(server: Server, client: dict[str, str]) -> int:
    return requests.post(f"{server.url}/api/v2/token", data=client, timeout=30).status_code


def succeed(server: Server, *args: str) -> str:
    done = server.command(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refuse(server: Server, *args: str) -> str:
    done = server.command(*args)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@ON_SQLITE
def test_a_restored_backup_serves_old_secrets(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    old = new_client(server.environment, "before-the-backup")
    assert token_status(server, old) == 200
    backup = str(tmp_path / "backup.sqlite3")
    assert "Wrote " in succeed(server, "backup", backup)
    assert Path(backup).stat().st_mode & 0o777 == 0o600
    assert "exists already" in refuse(server, "backup", backup)
    new = new_client(server.environment, "after-the-backup")
    assert token_status(server, new) == 200
    assert "Stop the server first" in refuse(server, "restore", backup)
    server.stop()

    (tmp_path / "other").write_text("something else")
    assert "not a backup of runai-access" in refuse(server, "restore", str(tmp_path / "other"))
    other_key = {"RUNAI_ACCESS_SECRET_KEY": "another-key-" + "x" * 32}
    refused = server.command("restore", backup, environment=other_key)
    assert "encrypted with another RUNAI_ACCESS_SECRET_KEY" in refused.stderr
    restored = succeed(server, "restore", backup)
    assert "The audit log is intact." in restored
    assert "other changes since the backup, are only in the former database." in restored
    database = Path(urlsplit(server.database).path[1:])
    assert list(database.parent.glob(f"{database.name}.replaced-*")) != []

    again = start_server(database=server.database, prepares=True)
    assert token_status(again, old) == 200
    assert token_status(again, new) == 401
    succeed(again, "verify_audit")


@ON_POSTGRESQL
def test_a_restored_dump_serves_old_secrets(start_server: StartServer, tmp_path: Path) -> None:
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    pg_restore = shutil.which("pg_restore", path=os.pathsep.join([os.environ["PATH"], *folders]))
    if pg_restore is None:
        skip_for_missing_tool("pg_restore is not installed")
    server = start_server()
    client = new_client(server.environment, "before-the-backup")
    assert token_status(server, client) == 200
    backup = str(tmp_path / "backup.dump")
    succeed(server, "backup", backup)
    assert "use pg_restore" in refuse(server, "restore", backup)
    with fresh_database(tmp_path) as database:
        options = ["--no-owner", "--exit-on-error", f"--dbname={database}"]
        subprocess.run([pg_restore, *options, backup], check=True)
        again = start_server(database=database)
        assert token_status(again, client) == 200
        succeed(again, "verify_audit")
        again.stop()


@ON_POSTGRESQL
def test_a_database_is_copied_to_postgresql(start_server: StartServer, tmp_path: Path) -> None:
    sqlite = server_environment(
        {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'old.sqlite3'}",
            "RUNAI_ACCESS_SECRET_KEY": os.environ["RUNAI_ACCESS_SECRET_KEY"],
            "RUNAI_ACCESS_EXAMPLE": "1",
        }
    )
    prepared = manage("prepare", environment=sqlite)
    assert prepared.returncode == 0, prepared.stderr
    client = new_client(sqlite, "from-sqlite")
    with fresh_database(tmp_path) as database:
        copied = manage("copy-database", "--to", database, environment=sqlite)
        assert copied.returncode == 0, copied.stdout + copied.stderr
        assert "OK  The audit log is intact." in copied.stdout
        again = manage("copy-database", "--to", database, environment=sqlite)
        assert "The target is not empty." in again.stderr
        key = {"RUNAI_ACCESS_SECRET_KEY": sqlite["RUNAI_ACCESS_SECRET_KEY"]}
        server = start_server(database=database, environment=key)
        assert token_status(server, client) == 200
        new_client(server.environment, "after-the-copy")
        server.stop()
        succeed(server, "verify_audit")
