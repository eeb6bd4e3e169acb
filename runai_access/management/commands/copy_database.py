"""Copy an SQLite database to PostgreSQL."""

import os
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser, call_command
from django.db import connection

from runai_access import environment
from runai_access.backup import copying
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.db import exclusive


class Command(OperatorCommand):
    help = (
        "Copies all data of the SQLite database to an empty PostgreSQL database, compares the numbers "
        "of rows, and verifies the audit log of the copy. Stop the server first. It changes nothing "
        "in the SQLite database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", required=True, metavar="DATABASE_URL",
            help="the empty database, such as postgres://user:password@host:5432/name",
        )  # fmt: skip

    def handle(self, *args: Any, to: str, **options: Any) -> None:
        target = environment.database_settings(to)
        if not settings.IS_SQLITE or not target["ENGINE"].endswith("postgresql"):
            raise CommandError("It copies from SQLite to PostgreSQL only.")
        with report_refusals(), exclusive.database_without_server(connection, self.stdout):
            self._copy(target, to)
        self.stdout.write(
            "Next: set DATABASE_URL to the copy and RUNAI_ACCESS_SECRET_KEY to the same secret key, "
            "and start the server."
        )

    def _copy(self, target: dict[str, Any], url: str) -> None:
        copying.connect(target)
        call_command("migrate", database=copying.TARGET, verbosity=0, interactive=False)
        copying.require_unused()
        counts = copying.copy_all()
        self.stdout.write(f"Copied {sum(counts.values()):,} rows of {len(counts)} tables.")
        # In another process, in which the copy is the database.
        verified = subprocess.run(  # noqa: S603
            [sys.executable, sys.argv[0], "verify_audit"],
            env={**os.environ, "DATABASE_URL": url, "DATABASE_URL_FILE": "", **_key()},
            check=False,
        )
        if verified.returncode != 0:
            raise CommandError("Copied, but the audit log of the copy has faults.")


def _key() -> dict[str, str]:
    """Return the secret key for the other process: PostgreSQL requires it in the environment."""
    return {"RUNAI_ACCESS_SECRET_KEY": settings.SECRET_KEY, "RUNAI_ACCESS_SECRET_KEY_FILE": ""}
