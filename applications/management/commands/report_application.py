"""Print what an application did in the last 30 days."""

from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from applications.incident_reports import csv_header, csv_rows, report_of
from applications.management.applications import application_named
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.lists.export import lines


class Command(OperatorCommand):
    help = (
        "Prints as CSV what an application did in the last 30 days: who used its client secrets, its "
        "operations, and its refusals."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        with report_refusals():
            report = report_of(application_named(name), SYSTEM.authority)
        for part in lines(csv_header(), csv_rows(report)):
            self.stdout.write(part, ending="")
        if not report.is_complete:
            self.stderr.write(
                "The report is incomplete: its lines “Incomplete” say what is missing."
            )
