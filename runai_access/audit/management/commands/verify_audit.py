"""Check whether rows of the audit log were changed, removed, added or reordered."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from runai_access.audit import known_head
from runai_access.audit.files import verify_file
from runai_access.audit.verification import MAX_REPORTED_FAULTS, Report, printable, verify
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.maintenance.models import record_run


def _head(text: str) -> known_head.Head:
    try:
        return known_head.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


class Command(OperatorCommand):
    help = (
        "Verifies the audit log: every row, every seal and the chain of seals. Prints counts, the head "
        "of the chain and OK; or each fault, and exits with status 1. Changes nothing in the audit "
        "log, and can run while the server is running. The System page shows the last run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE",
            help="verify these files of archive_audit instead of the database",
        )  # fmt: skip
        parser.add_argument(
            "--expect", type=_head, metavar="HEAD",
            help="a head that an earlier run printed and that you stored elsewhere: it must still be "
            "in the chain; by default, the newest head that RUNAI_ACCESS_VAR remembers",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        with report_refusals():
            if options["files"]:
                self._verify_files(options["files"], options["expect"])
                return
            known = self._known_head()
            report = verify(options["expect"], known)
        self._say_faults(report)
        leaving = (
            f" {report.leaving:,} of them are still in the database." if report.leaving else ""
        )
        self.stdout.write(
            f"{report.events:,} rows in {report.seals:,} seals, {report.waiting:,} not sealed yet; "
            f"{report.archived_events:,} rows in {report.archives:,} archives.{leaving}"
        )
        if report.sealed_late:
            self.stdout.write(
                f"{report.sealed_late:,} rows were sealed more than an hour after their time. "
                "This is normal if no server was running."
            )
        if known:
            self.stdout.write(
                f"Compared with head {known[0]}, which {known_head.file()} remembers."
            )
        elif not options["expect"]:
            self.stdout.write(
                "No earlier head is known here, so a removed end of the log is not detected. Pass "
                "--expect with a head that an earlier run printed."
            )
        record_run(
            "verify_audit",
            succeeded=not report.fault_count,
            detail=report.faults[0] if report.faults else f"head {report.head[0]}:{report.head[1]}",
        )
        self._conclude(report, "The audit log")
        if report.head[0] > (known[0] if known else 0):
            self._remember(report.head)

    def _known_head(self) -> known_head.Head | None:
        try:
            return known_head.read()
        except (OSError, ValueError) as error:
            raise CommandError(f"Can't read {known_head.file()}: {error}") from error

    def _remember(self, head: known_head.Head) -> None:
        try:
            known_head.write(head)
        except OSError as error:
            self.stderr.write(f"Can't remember the head: {error}")

    def _verify_files(self, files: list[Path], expected: tuple[int, str] | None) -> None:
        end = None
        for file in files:
            try:
                report = verify_file(file, expected)
            except OSError as error:
                raise CommandError(f"{file} can't be read: {error.strerror}.") from error
            if end and report.start != end:
                report.fault("The file does not continue where the previous file ends.")
            end = report.head
            self._say_faults(report)
            self.stdout.write(f"{report.events:,} rows in {report.seals:,} seals.")
            self._conclude(report, str(file))

    def _say_faults(self, report: Report) -> None:
        for fault in printable(report.faults):
            self.stdout.write(f"FAULT  {fault}")
        if report.fault_count > MAX_REPORTED_FAULTS:
            self.stdout.write(f"FAULT  … and {report.fault_count - MAX_REPORTED_FAULTS:,} more")

    def _conclude(self, report: Report, name: str) -> None:
        number, hash_ = report.head
        if number:
            self.stdout.write(f"Head {number}:{hash_}")
        if report.fault_count:
            faults = "fault" if report.fault_count == 1 else "faults"
            raise CommandError(f"{name} has {report.fault_count:,} {faults}.")
        self.stdout.write(f"OK  {name} is intact.")
