"""The audit log of running servers is sealed within seconds and stays intact after a kill."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import requests

from tests import processes, sizes
from tests.conftest import StartServer
from tests.operations.conftest import unsealed, wait_until
from tests.servers import Server, manage

COUNTS = re.compile(r"([\d,]+) rows in ([\d,]+) seals, ([\d,]+) not sealed yet; ([\d,]+) rows in")
OLD_ROWS = """
from datetime import timedelta
from django.utils import timezone
from runai_access.audit.models import AuditEvent
long_ago = timezone.now() - timedelta(days=500)
AuditEvent.objects.bulk_create(
    AuditEvent(time=long_ago, action="create", entity_name=f"e{n}", result="Succeeded")
    for n in range(3000)
)
"""


CLIENT_NUMBERS = count(1)
BEHIND_A_PROXY = {"RUNAI_ACCESS_TRUSTED_PROXIES": "127.0.0.1"}


def counts(run: Callable[..., "subprocess.CompletedProcess[str]"]) -> tuple[int, int, int, int]:
    """Return the numbers of sealed rows, seals, unsealed rows and archived rows; fail on any fault."""
    result = run("verify_audit")
    assert result.returncode == 0, result.stdout + result.stderr
    found = COUNTS.search(result.stdout)
    assert found, result.stdout
    sealed, seals, waiting, archived = (int(text.replace(",", "")) for text in found.groups())
    return sealed, seals, waiting, archived


def fail_to_sign_in(server: Server, client: str) -> None:
    """Write an audit row: a refused sign-in, from a different address each time.

    A single address would get at most ten such rows a minute.
    """
    body = {"grant_type": "client_credentials", "client_id": client, "client_secret": "wrong"}
    headers = {"X-Forwarded-For": f"198.51.100.{next(CLIENT_NUMBERS)}"}
    answer = requests.post(f"{server.url}/api/v2/token", data=body, headers=headers, timeout=30)
    assert answer.status_code == 401


def test_two_replicas_seal_every_row_once_within_seconds(start_server: StartServer) -> None:
    one = start_server(environment=BEHIND_A_PROXY)
    two = start_server(database=one.database, environment=BEHIND_A_PROXY)
    jobs = [(server, f"client-{number}") for number in range(30) for server in (one, two)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda job: fail_to_sign_in(*job), jobs))
    wait_until(lambda: unsealed(one) == 0, "every row to be sealed", seconds=30)
    sealed, seals, _, _ = counts(one.command)
    assert sealed >= 30
    assert seals < sealed
    for server in (one, two):
        assert server.stop() == 0
        assert "sealed" not in server.output


def test_the_last_audit_row_is_sealed_and_written_out_before_the_server_exits(
    start_server: StartServer, tmp_path: Path
) -> None:
    """Whichever worker answered last, and whichever of them runs the background jobs."""
    output = tmp_path / "audit.jsonl"
    server = start_server(environment={"RUNAI_ACCESS_AUDIT_LOG": str(output)})
    for number in range(4):
        fail_to_sign_in(server, f"last-{number}")
    assert server.stop(seconds=10) == 0
    sealed, _, waiting, _ = counts(server.command)
    assert waiting == 0
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})
    assert len(rows) == sealed
    assert {f"last-{number}" for number in range(4)} <= {row["entity_name"] for row in rows}


def test_the_chain_is_intact_after_a_kill(start_server: StartServer) -> None:
    server = start_server(environment=BEHIND_A_PROXY)
    rows = 0
    for round_ in range(sizes.KILL_ROUNDS):
        with ThreadPoolExecutor(4) as pool:
            for number in range(12):
                pool.submit(fail_to_sign_in, server, f"client-{round_}-{number}")
        server.kill()
        sealed, _, waiting, _ = counts(server.command)
        assert sealed + waiting >= rows + 12
        rows = sealed + waiting
        server = start_server(database=server.database, environment=BEHIND_A_PROXY)
    wait_until(lambda: unsealed(server) == 0, "the rest to be sealed")
    assert counts(server.command)[0] >= rows


def test_verify_audit_reports_faults_and_exits_with_1(migrated_database: dict[str, str]) -> None:
    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        return manage(*args, environment=migrated_database)

    for name in ("ada", "bob"):
        assert run("create_admin", f"{name}@acme.example").returncode == 0
    assert (
        run("shell", "-c", "from runai_access.audit.sealer import *; seal_waiting()").stderr == ""
    )
    good = run("verify_audit")
    head = re.search(r"^Head (\d+:[0-9a-f]{64})$", good.stdout, re.MULTILINE)
    assert head
    assert good.stdout.endswith("OK  The audit log is intact.\n")
    assert run("verify_audit", "--expect", head[1]).returncode == 0
    assert run("verify_audit", "--expect", "nonsense").returncode != 0

    flushed = run("flush", "--no-input")
    assert flushed.returncode == 1
    again = run("verify_audit")
    assert head[0] in again.stdout
    assert again.returncode == 0

    forge = (
        "from django.db import connection; from runai_access.audit import guards;"
        "guards.remove(connection);"
        "connection.cursor().execute(\"UPDATE audit_auditevent SET entity_name = 'x\\x1b[2J'\");"
        "guards.install(connection)"
    )
    assert run("shell", "-c", forge).stderr == ""
    bad = run("verify_audit")
    assert bad.returncode == 1
    assert "FAULT  Row 1 of seal 1 was changed or added after it was sealed" in bad.stdout
    assert "x\\x1b[2J" in bad.stdout
    assert "OK" not in bad.stdout
    assert re.search(r"The audit log has \d+ faults?\.", bad.stderr)


def test_archive_audit_can_be_killed_at_any_moment(
    migrated_database: dict[str, str], tmp_path: Path
) -> None:
    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        return manage(*args, environment=migrated_database)

    folder = tmp_path / "kept"
    assert run("shell", "-c", OLD_ROWS).stderr == ""
    archive = [sys.executable, "manage.py", "archive_audit", "--to", str(folder)]
    process = processes.start(archive, environment=migrated_database)
    wait_until(lambda: process.poll() is not None or any(folder.glob("*.jsonl")), "the file's name")
    process.kill()
    process.wait(30)
    sealed, _, waiting, archived = counts(run)
    assert sealed + waiting + archived >= 3000
    assert run("archive_audit", "--to", str(folder)).returncode == 0
    sealed, _, waiting, archived = counts(run)
    assert (sealed + waiting, archived) == (1, 3000)  # the row that records the archiving
    files = sorted(folder.iterdir())
    assert {file.suffix for file in files} == {".jsonl"}
    result = run("verify_audit", str(files[0]))
    assert (result.returncode, "3,000 rows in" in result.stdout) == (0, True)
    assert run("verify_audit", str(tmp_path / "none")).returncode == 1


def test_the_migration_is_reversible(migrated_database: dict[str, str]) -> None:
    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        return manage(*args, environment=migrated_database)

    assert run("create_admin", "ada@acme.example").returncode == 0
    for target in (["zero"], []):
        assert run("migrate", "audit", *target).returncode == 0
    assert counts(run) == (0, 0, 0, 0)


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_an_invalid_retention_period_is_refused(empty_database: dict[str, str], days: str) -> None:
    environment = {**empty_database, "RUNAI_ACCESS_AUDIT_RETENTION_DAYS": days}
    result = manage("archive_audit", environment=environment)
    assert result.returncode == 1
    assert "RUNAI_ACCESS_AUDIT_RETENTION_DAYS must be a whole number" in result.stderr
