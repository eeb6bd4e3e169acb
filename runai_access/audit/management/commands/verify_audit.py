"""Look whether anybody changed, removed, added or reordered rows of the record."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from runai_access.audit.files import verify_file
from runai_access.audit.verification import MAX_REPORTED_FAULTS, Report, printable, verify
from runai_access.commands import report_refusals


def _head(text: str) -> tuple[int, str]:
    number, _, hash_ = text.strip().partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) < 19 and len(hash_) == 64):
        raise ArgumentTypeError("must be NUMBER:HASH, as this command has said it.")
    return int(number), hash_.lower()


class Command(BaseCommand):
    help = (
        "Verifies the audit record: every row, its seal, and the chain of seals. Says OK with "
        "counts and the head of the chain, or each fault, and then ends with status 1. Changes "
        "nothing, and can run while the server does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE",
            help="verify these files of archive_audit instead of the database",
        )  # fmt: skip
        parser.add_argument(
            "--expect", type=_head, metavar="HEAD",
            help="a head that an earlier run has said and that was kept elsewhere: it must still "
            "be in the chain; only that shows an end that was cut off",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals():
            if options["files"]:
                self._verify_files(options["files"], options["expect"])
                return
            report = verify(options["expect"])
        self._say_faults(report)
        leaving = f" {report.leaving:,} of them are still to be removed." if report.leaving else ""
        self.stdout.write(
            f"{report.events:,} rows in {report.seals:,} seals, {report.waiting:,} not sealed yet; "
            f"{report.archived_events:,} rows in {report.archives:,} archives.{leaving}"
        )
        if report.sealed_late:
            self.stdout.write(
                f"{report.sealed_late:,} rows were sealed more than an hour after the time they "
                "tell: as expected where no server ran meanwhile."
            )
        self._conclude(report, "The record")

    def _verify_files(self, files: list[Path], expected: tuple[int, str] | None) -> None:
        end = None
        for file in files:
            try:
                report = verify_file(file, expected)
            except OSError as error:
                raise CommandError(f"{file} can't be read: {error.strerror}.") from error
            if end and report.start != end:
                report.fault("It does not go on where the file before it ends.")
            end = report.head
            self._say_faults(report)
            self.stdout.write(f"{report.events:,} rows in {report.seals:,} seals.")
            self._conclude(report, str(file))

    def _say_faults(self, report: Report) -> None:
        for fault in printable(report.faults):
            self.stdout.write(f"FAULT  {fault}")
        if report.fault_count > MAX_REPORTED_FAULTS:
            self.stdout.write(f"FAULT  … and {report.fault_count - MAX_REPORTED_FAULTS:,} more")

    def _conclude(self, report: Report, what: str) -> None:
        number, hash_ = report.head
        if number:
            self.stdout.write(f"Head {number}:{hash_}")
        if report.fault_count:
            faults = "fault" if report.fault_count == 1 else "faults"
            raise CommandError(f"{what} has {report.fault_count:,} {faults}.")
        self.stdout.write(f"OK  {what} is as it was written.")
