"""The whole server behind Debian's PgBouncer in transaction mode."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests

from tests.conftest import StartServer
from tests.databases import migrated_database
from tests.operations.pgbouncer import running_pgbouncer
from tests.operations.writers import Access, Writers

pytestmark = pytest.mark.slow


def test_everything_works_through_a_pooler_with_few_sessions(
    start_server: StartServer, tmp_path: Path
) -> None:
    """Three sessions for two workers: statements can run in different sessions."""
    with running_pgbouncer(tmp_path, pool_size=3) as pooler, migrated_database(tmp_path) as direct:
        server = start_server(database=pooler.url(direct))
        access = Access.of_administrator(server)
        with ThreadPoolExecutor(8) as clients:
            tokens = [clients.submit(access.token, server) for _ in range(60)]
            headers = {"Authorization": f"Bearer {[token.result() for token in tokens][-1]}"}
        writers = Writers(server, access, writers=6, readers=3)
        writers.finish(laps=2)
        # An overloaded machine can refuse a write; nothing fails.
        assert set(writers.refusals) <= {503}, server.output
        assert writers.failures == []
        for path in (
            "/api/v1/apps?search=a",
            "/api/v1/authorization/access-rules",
            "/api/v1/audit/log?start=2026-01-01T00:00:00Z&end=2099-01-01T00:00:00Z",
        ):
            assert requests.get(server.url + path, headers=headers, timeout=30).status_code == 200
        verified = server.command("verify_audit")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert server.stop() == 0
        assert "Traceback" not in server.output
        with psycopg.connect(direct) as connection:
            held = connection.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )
            assert held.fetchone() == (0,)
