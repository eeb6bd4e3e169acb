"""Move old rows of the audit log to a sealed file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser
from django.utils import timezone

from runai_access.audit.archive import archive_before
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Moves the rows of the audit log that are older than RUNAI_ACCESS_AUDIT_RETENTION_DAYS to a "
        "file with their seals, verifies the file, and then deletes them from the database. You can "
        "interrupt it and run it again. verify_audit verifies the remaining rows, and the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", type=Path, default=settings.VAR_DIR / "audit", metavar="FOLDER",
            help="folder for the file (default: audit/ in RUNAI_ACCESS_VAR); move it to safe storage",
        )  # fmt: skip
        parser.add_argument(
            "--despite-faults", action="store_true",
            help="also move rows that do not verify; the file keeps the faults",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        days = settings.AUDIT_RETENTION_DAYS
        folder: Path = options["to"]
        try:
            with report_refusals():
                archive = archive_before(
                    timezone.now() - timedelta(days=days),
                    folder,
                    despite_faults=options["despite_faults"],
                )
        except OSError as error:
            raise CommandError(f"Can't write to {folder}: {error}") from error
        if archive is None:
            self.stdout.write(f"No rows are older than {days} day{'' if days == 1 else 's'}.")
            return
        self.stdout.write(
            f"Moved {archive.events:,} rows (seals {archive.first_seal} to {archive.last_seal}) to "
            f"{folder / archive.file_name}\nSHA-256 {archive.file_sha256}"
        )
