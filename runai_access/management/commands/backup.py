"""Back up the database."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser
from django.db import connection, transaction

from accessrules.authorization.callers import SYSTEM
from runai_access.audit import known_head
from runai_access.audit.recorder import Entity, record
from runai_access.backup import postgresql, sqlite
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.maintenance.models import record_run


class Command(OperatorCommand):
    help = (
        "Writes a backup of the database to a new file, readable only by its owner, while servers run. "
        "With PostgreSQL it runs pg_dump. The secret key is not in it: keep it in another place."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="a file that does not exist yet"
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        os.umask(0o077)
        head = known_head.head()
        try:
            with report_refusals():
                self._back_up(file)
        except FileExistsError as error:
            raise CommandError(f"{file} exists already. Choose another name.") from error
        except OSError as error:
            raise CommandError(f"Can't write {file}: {error.strerror or error}") from error
        with report_refusals(), transaction.atomic():
            record("backup", Entity("database", name=file.name), actor=SYSTEM.actor)
        record_run("backup", detail=str(file.absolute()))
        self.stdout.write(f"Wrote {file.stat().st_size:,} bytes to {file}")
        if head[0]:
            self.stdout.write(f"It contains the audit log up to head {head[0]}:{head[1]} or later.")

    def _back_up(self, file: Path) -> None:
        if settings.IS_SQLITE:
            sqlite.back_up(Path(connection.settings_dict["NAME"]), file)
        else:
            postgresql.dump(file)
