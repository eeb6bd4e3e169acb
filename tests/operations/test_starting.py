"""`serve` prepares the installation, prints its URL, and changes nothing on a second start."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured

from runai_access import environment
from runai_access.settings import IS_SQLITE
from tests.conftest import StartServer, skip_for_missing_tool
from tests.operations.conftest import wait_until
from tests.servers import ROOT, Server, launch, manage, server_environment, status_of

SHOWN_ONCE = "You won't see it again."


def everything_in(server: Server) -> list[dict[str, Any]]:
    """Return every row of all our tables, with all fields."""
    dump = server.command(
        "dumpdata", "--all", "accessrules", "accounts", "api", "applications", "audit", "sessions"
    )
    assert dump.returncode == 0, dump.stderr
    rows: list[dict[str, Any]] = json.loads(dump.stdout)
    return sorted(rows, key=lambda row: (row["model"], str(row["pk"])))


def test_a_second_start_changes_nothing(start_server: StartServer) -> None:
    example = {"RUNAI_ACCESS_EXAMPLE": "1"}
    first = start_server(environment=example)
    assert first.stop() == 0  # its audit rows are sealed now
    before = everything_in(first)
    second = start_server(database=first.database, environment=example)
    assert everything_in(second) == before
    assert "first administrator" not in second.output
    assert "Loaded" not in second.output


def test_a_first_start_publishes_the_signing_key(start_server: StartServer) -> None:
    """A verifier that caches the keys before the first token has the right key."""
    server = start_server(prepares=True)
    keys = requests.get(f"{server.url}/.well-known/jwks.json", timeout=30).json()["keys"]
    assert len(keys) == 1


def test_a_start_with_another_secret_key_requires_new_signing_keys(
    migrated_database: dict[str, str],
) -> None:
    assert manage("prepare", environment=migrated_database).returncode == 0
    other = {**migrated_database, "RUNAI_ACCESS_SECRET_KEY": "another-key-" + "x" * 32}
    start = manage("serve", environment=_free(other))
    assert start.returncode == 1
    assert "encrypted with another RUNAI_ACCESS_SECRET_KEY" in start.stderr
    assert "Traceback" not in start.stderr
    assert manage("rotate_signing_key", "--end-others", environment=other).returncode == 0
    assert manage("prepare", environment=other).returncode == 0


@pytest.mark.any_database
def test_it_prints_its_url_and_how_to_sign_in(start_server: StartServer) -> None:
    server = start_server(prepares=True)
    wait_until(lambda: "Press Ctrl-C to stop it." in server.output, "the start message")
    assert server.url in server.output
    assert server.admin_email in server.output
    assert "reset_password" in server.output
    assert server.admin_password not in server.output


@pytest.mark.any_database
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])  # noqa: S104
def test_it_prints_its_url_only_when_it_answers_there(start_server: StartServer, host: str) -> None:
    if host == "::" and not socket.has_dualstack_ipv6():
        skip_for_missing_tool("this machine has no IPv6")
    server = start_server(environment={"RUNAI_ACCESS_HOST": host}, wait=False)
    wait_until(lambda: "runai-access is running at" in server.output, "the start message")
    assert status_of(f"{server.url}/healthz") == 200


@pytest.mark.any_database
def test_a_generated_password_is_shown_once(start_server: StartServer) -> None:
    nothing_chosen = {"RUNAI_ACCESS_ADMIN_PASSWORD": "", "RUNAI_ACCESS_ADMIN_EMAIL": ""}
    first = start_server(environment=nothing_chosen)
    assert first.output.count(SHOWN_ONCE) == 1
    assert "admin@example.com" in first.output
    second = start_server(database=first.database, environment=nothing_chosen)
    assert SHOWN_ONCE not in second.output


def test_two_servers_can_start_on_one_empty_database(start_server: StartServer) -> None:
    one = start_server(wait=False, is_empty=True)
    other = start_server(database=one.database, wait=False)
    one.wait_until_ready()
    other.wait_until_ready()
    creators = [
        server for server in (one, other) if "Created the first administrator" in server.output
    ]
    assert len(creators) == 1


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"RUNAI_ACCESS_ADMIN_PASSWORD": "short"}, "RUNAI_ACCESS_ADMIN_PASSWORD: This password"),
        ({"RUNAI_ACCESS_ADMIN_EMAIL": "nobody"}, "RUNAI_ACCESS_ADMIN_EMAIL: Enter a valid email"),
        ({"RUNAI_ACCESS_EXAMPLE": "yes"}, "RUNAI_ACCESS_EXAMPLE must be 0 or 1"),
        ({"RUNAI_ACCESS_SECRET_KEY": "short"}, "must have 32 characters"),
        ({"RUNAI_ACCESS_URL": "access.example.com"}, "must look like https://"),
        ({"RUNAI_ACCESS_TRUSTED_PROXIES": "proxy"}, "must list addresses or networks"),
        ({"RUNAI_ACCESS_TOKEN_LIFETIME": "0"}, "whole number of 1 or more"),
        ({"RUNAI_ACCESS_DORMANCY_WARN_DAYS": "never"}, "whole number of 1 or more"),
        ({"RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND": "0"}, "whole number of 1 or more"),
        ({"RUNAI_ACCESS_API_REQUESTS_PER_SECOND": "200"}, "API_MILLISECONDS_PER_SECOND"),
        ({"RUNAI_ACCESS_DRAIN_SECONDS": "-1"}, "must be a number of seconds from 0 to 3600"),
        ({"DATABASE_URL": "mysql://user:hunter2@host/name"}, "DATABASE_URL must look like"),
        ({"DATABASE_URL": "postgres://user:hunter2@127.0.0.1:1/name"}, "Database error:"),
        ({"PORT": "eighty"}, "PORT must be"),
        ({"PORT": "70000"}, "PORT must be at most 65535"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_invalid_setting_stops_the_start_with_a_clear_message(
    migrated_database: dict[str, str], settings: dict[str, str], message: str
) -> None:
    start = manage("serve", environment={**migrated_database, "PORT": "0", **_free(settings)})
    assert start.returncode == 1
    assert message in start.stderr
    assert "Traceback" not in start.stderr
    assert "hunter2" not in start.stderr + start.stdout


@pytest.mark.any_database
def test_settings_of_the_first_start_are_checked_on_every_start(
    migrated_database: dict[str, str],
) -> None:
    assert manage("prepare", environment=migrated_database).returncode == 0
    again = manage("prepare", environment={**migrated_database, "RUNAI_ACCESS_EXAMPLE": "yes"})
    assert again.returncode == 1
    assert "RUNAI_ACCESS_EXAMPLE must be 0 or 1" in again.stderr
    late_password = {**migrated_database, "RUNAI_ACCESS_ADMIN_PASSWORD": "late"}
    late = manage("prepare", environment=late_password)
    assert late.returncode == 0
    assert "RUNAI_ACCESS_ADMIN_PASSWORD is ignored" in late.stdout


@pytest.mark.any_database
def test_djangos_deployment_checks_pass(empty_database: dict[str, str]) -> None:
    for url in ("http://127.0.0.1:8000", "https://access.example.com"):
        environment = {**empty_database, "RUNAI_ACCESS_URL": url}
        checked = manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.any_database
def test_createsuperuser_names_the_right_command(empty_database: dict[str, str]) -> None:
    done = manage("createsuperuser", environment=empty_database)
    assert done.returncode == 1
    assert "manage.py create_admin EMAIL" in done.stderr
    assert "Traceback" not in done.stderr


def _free(settings: dict[str, str]) -> dict[str, str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return {"PORT": str(listener.getsockname()[1]), **settings}


@pytest.mark.any_database
def test_a_refused_administrator_creates_nothing(migrated_database: dict[str, str]) -> None:
    example = {**migrated_database, "RUNAI_ACCESS_EXAMPLE": "1"}
    weak = {**example, "RUNAI_ACCESS_ADMIN_PASSWORD": "short"}
    assert manage("prepare", environment=weak).returncode == 1
    good = {**weak, "RUNAI_ACCESS_ADMIN_PASSWORD": "correct-horse-battery-staple"}
    again = manage("prepare", environment=good)
    assert again.returncode == 0, again.stderr
    assert "Created the first administrator" in again.stdout
    assert "Loaded a small example organization" in again.stdout


@pytest.mark.any_database
def test_an_occupied_port_is_reported(server: Server, migrated_database: dict[str, str]) -> None:
    port = server.url.rpartition(":")[2]
    start = manage("serve", environment={**migrated_database, "PORT": port})
    assert start.returncode == 1
    assert f"Can't listen on 127.0.0.1:{port}" in start.stderr


@pytest.mark.any_database
@pytest.mark.parametrize("example", ["0", ""])
def test_with_database_url_the_example_is_opt_in(
    migrated_database: dict[str, str], example: str
) -> None:
    prepared = manage("prepare", environment={**migrated_database, "RUNAI_ACCESS_EXAMPLE": example})
    assert prepared.returncode == 0, prepared.stderr
    assert "example" not in prepared.stdout.replace("example.com", "")


def test_the_secret_key_is_created_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / "var" / "secret_key"
    # Each waits for the other first, so that they race.
    program = (
        "import sys, time; from pathlib import Path; from runai_access import environment\n"
        "here, other, file = map(Path, sys.argv[1:])\n"
        "here.touch()\n"
        "while not other.exists(): pass\n"
        "print(environment.secret_key(file, required=False))\n"
    )
    flags = [tmp_path / "one", tmp_path / "two"]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(mine), str(theirs), str(file)],
            cwd=ROOT,
            env=server_environment({}),
            stdout=subprocess.PIPE,
            text=True,
        )
        for mine, theirs in (flags, reversed(flags))
    ]
    keys = {racer.communicate(timeout=30)[0].strip() for racer in racers}
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["secret_key"]


def secret_key_file(folder: Path, content: str) -> dict[str, str]:
    """Write the file, and return the settings that use it."""
    (folder / "key").write_text(content)
    return {"RUNAI_ACCESS_SECRET_KEY": "", "RUNAI_ACCESS_SECRET_KEY_FILE": str(folder / "key")}


def test_the_secret_key_can_be_read_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in secret_key_file(tmp_path, f"{'k' * 40}\n").items():
        monkeypatch.setenv(name, value)
    assert environment.secret_key(tmp_path / "unused", required=True) == "k" * 40
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("", {}, "is empty"),
        ("short", {}, "RUNAI_ACCESS_SECRET_KEY must have 32 characters"),
        ("k" * 40, {"RUNAI_ACCESS_SECRET_KEY": "o" * 40}, "not both"),
        (
            "",
            {"RUNAI_ACCESS_SECRET_KEY_FILE": "/nowhere/key"},
            "can't read /nowhere/key: No such file",
        ),
    ],
)
def test_an_unusable_secret_key_file_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    more: dict[str, str],
    message: str,
) -> None:
    for name, value in {**secret_key_file(tmp_path, content), **more}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=message):
        environment.secret_key(tmp_path / "unused", required=True)


def test_the_folder_for_files_can_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.var_dir(ROOT) == ROOT / "var"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert environment.var_dir(None) == tmp_path / "runai-access"
    monkeypatch.setenv("RUNAI_ACCESS_VAR", str(tmp_path / "chosen"))
    assert environment.var_dir(ROOT) == tmp_path / "chosen"


_READ_ONLY = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/app /mnt/var /mnt/python
mount --bind "$1" /mnt/app
# The user can't read the home folder of root, in which the interpreter might be.
case "$2" in /root/*)
    mount --bind "$2" /mnt/python
    mount -t tmpfs -o mode=755 tmpfs /root
    mkdir -p "$2"
    mount --bind /mnt/python "$2"
esac
chown 23456:23456 /mnt/var
printf %s a-secret-key-in-a-file-of-an-orchestrator >/mnt/secret_key
chmod 444 /mnt/secret_key
mount -o remount,bind,ro / / 2>/dev/null || mount --bind -o ro / /
mount -o remount,bind,ro /mnt/app
cd /mnt/app
unset HOME
if touch "$1/written" || touch /mnt/app/written || touch /tmp/written; then exit 1; fi 2>/dev/null
exec setpriv --reuid=23456 --regid=23456 --clear-groups .venv/bin/python manage.py serve
"""


@pytest.mark.skipif(IS_SQLITE, reason="SQLite stores a database file")
def test_it_needs_no_writable_file_system_and_no_known_user(start_server: StartServer) -> None:
    """With PostgreSQL: a read-only root, a user id without a name, and one tmpfs."""
    if os.getuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        skip_for_missing_tool("only root can mount file systems, with unshare and setpriv")
    server = start_server(
        environment={
            "RUNAI_ACCESS_SECRET_KEY": "",
            "RUNAI_ACCESS_SECRET_KEY_FILE": "/mnt/secret_key",
            "RUNAI_ACCESS_VAR": "/mnt/var",
        },
        command=["unshare", "--mount", "sh", "-c", _READ_ONLY, "sh", str(ROOT), sys.base_prefix],
    )
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    assert "\nUid:\t23456\t23456\t23456\t23456\n" in status
    page = requests.get(f"{server.url}/sign-in", timeout=30).text
    style = re.search(r"/static/css/[^\"]+", page)
    assert style
    assert status_of(f"{server.url}{style[0]}") == 200


def test_postgresql_requires_a_shared_secret_key(tmp_path: Path) -> None:
    database = "postgres://user@127.0.0.1:1/name"
    server = launch(tmp_path, database=database, environment={"RUNAI_ACCESS_SECRET_KEY": ""})
    assert server.process.wait(30) == 1
    assert "RUNAI_ACCESS_SECRET_KEY is required with PostgreSQL" in server.output
