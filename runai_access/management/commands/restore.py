"""Restore a backup of an SQLite database."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser, call_command
from django.db import connection, transaction
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from runai_access.audit import known_head
from runai_access.audit.recorder import Entity, record
from runai_access.audit.sealer import seal_waiting
from runai_access.audit.verification import printable, verify
from runai_access.backup import sqlite
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.db import exclusive


class Command(OperatorCommand):
    help = (
        "Replaces the SQLite database by a backup, keeps the former database beside it, and verifies "
        "the audit log. Stop the server first. For PostgreSQL, use pg_restore; see docs/backup.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a file that `backup` wrote")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not settings.IS_SQLITE:
            raise CommandError("With PostgreSQL, use pg_restore; see docs/backup.md.")
        os.umask(0o077)
        if not file.is_file():
            raise CommandError(f"{file} does not exist.")
        try:
            with report_refusals(), exclusive.database_without_server(connection, self.stdout):
                self._restore(file)
        except OSError as error:
            raise CommandError(f"Can't restore {file}: {error.strerror or error}") from error

    def _restore(self, file: Path) -> None:
        sqlite.require_intact(file)
        sqlite.require_secret_key(file)
        before = self._known_head()
        connection.close()
        former = sqlite.replace(Path(connection.settings_dict["NAME"]), file, timezone.now())
        if former:
            self.stdout.write(f"The former database is now {former}")
        call_command("migrate", verbosity=0, interactive=False, is_exclusive=True)
        report = verify()
        after = report.head
        heads = [f"{number}:{hash_}" if number else None for number, hash_ in (before, after)]
        with transaction.atomic():
            entity = Entity("database", name=file.name)
            record("restore", entity, actor=SYSTEM.actor, changes={"auditHead": heads})
        seal_waiting()
        known_head.write(known_head.head())
        if before[0] > after[0]:
            self.stdout.write(
                f"The audit log ends at seal {after[0]}. Seals {after[0] + 1} to {before[0]}, and all "
                "other changes since the backup, are only in the former database."
            )
        for fault in printable(report.faults):
            self.stdout.write(f"FAULT  {fault}")
        if report.fault_count:
            raise CommandError("Restored, but the audit log has faults.")
        self.stdout.write(f"Restored {file}. The audit log is intact.")

    def _known_head(self) -> known_head.Head:
        try:
            return known_head.read() or (0, "")
        except (OSError, ValueError):
            return (0, "")
