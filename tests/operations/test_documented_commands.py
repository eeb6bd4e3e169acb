"""Commands and statements that the pages show: they exist, and PostgreSQL accepts them.

`test_readme.py`, `test_rotating_secrets.py` and `test_deploy.py` execute others as they are written.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import get_commands, load_command_class

from runai_access.settings import IS_SQLITE
from tests.conftest import StartServer
from tests.operations.test_docs import PAGES
from tests.servers import ROOT

# In backticks or in a block: a command, and what follows it on the same line.
CODE = re.compile(r"```.*?```|`[^`]+`", re.DOTALL)
COMMAND = re.compile(r"(?:manage\.py|runai-access)(?: manage)? (?!manage\b)([a-z][a-z_-]+)(.*)")
OPTION = re.compile(r"(?<= )--[a-z-]+")
POSTGRESQL = (ROOT / "docs/postgresql.md").read_text(encoding="utf-8")


def documented() -> Iterator[tuple[str, str]]:
    """Yield each command with each of its options, and with "" if it has none."""
    for page in PAGES:
        for code in CODE.findall(page.read_text(encoding="utf-8")):
            for name, rest in COMMAND.findall(code.replace("\\\n", "")):
                for option in OPTION.findall(rest) or [""]:
                    yield name.replace("-", "_"), option


@pytest.mark.any_database
@pytest.mark.parametrize(("name", "option"), sorted(set(documented())))
def test_a_documented_command_exists(name: str, option: str) -> None:
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    assert not option or option in parser._option_string_actions


@pytest.mark.skipif(IS_SQLITE, reason="SQLite has no roles")
def test_a_role_with_fewer_privileges_serves(start_server: StartServer) -> None:
    """It has the settings that are recommended for PgBouncer, too."""
    database = start_server().database
    parts = urlsplit(database)
    name = parts.path[1:]
    statements = "".join(re.findall(r"```sql\n(.*?)```", POSTGRESQL, re.DOTALL))
    role = f"fewer_{name}"
    as_role = urlunsplit(parts._replace(netloc=f"{role}@{parts.hostname}:{parts.port}"))
    privileges = "SELECT, INSERT, UPDATE, DELETE"
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute(f"GRANT {privileges} ON ALL TABLES IN SCHEMA public TO {role}")
        owner.execute(statements.replace("runai", role))
        owner.execute("CREATE TABLE of_an_upgrade (id int)")
        server = start_server(database=as_role)
        created = server.command("create_application", "first", "--json")
        assert created.returncode == 0, created.stderr
        assert server.command("verify_audit").returncode == 0
        with psycopg.connect(as_role, autocommit=True) as other:
            assert other.execute("SHOW jit").fetchone() == ("off",)
            other.execute("INSERT INTO of_an_upgrade VALUES (1)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        assert server.stop() == 0
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")
