"""Retention: move rows of the record that are old enough to a sealed file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from runai_access.audit.archive import archive_before
from runai_access.commands import report_refusals


class Command(BaseCommand):
    help = (
        "Moves the rows of the audit record that are older than "
        "RUNAI_ACCESS_AUDIT_RETENTION_DAYS to a file with their seals, verifies the file, and then "
        "removes them from the database. It can be interrupted and run again; verify_audit "
        "verifies what stays, and the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--to", type=Path, default=settings.VAR_DIR / "audit", metavar="FOLDER",
            help="where the file goes (var/audit); move it to where it is safe",
        )  # fmt: skip
        parser.add_argument(
            "--despite-faults", action="store_true",
            help="also move rows that do not verify; their file shows the faults for ever",
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
            raise CommandError(f"{folder} can't be written: {error}") from error
        if archive is None:
            self.stdout.write(f"No rows are older than {days} day{'' if days == 1 else 's'}.")
            return
        self.stdout.write(
            f"Moved {archive.events:,} rows (seals {archive.first_seal} to {archive.last_seal}) to "
            f"{folder / archive.file_name}\nSHA-256 {archive.file_sha256}"
        )
