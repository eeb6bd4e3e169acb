"""Contain an application whose client secret leaked."""

from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from applications.containment import contain_application
from applications.management.applications import application_named
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Contains an application whose client secret leaked: disables it, and ends its tokens. "
        "report_application prints what it did; replace_secret enables it with a new secret."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        with report_refusals():
            contain_application(caller=SYSTEM, application_id=application_named(name).pk)
        self.stdout.write(f"Contained {name}. Its client secrets and tokens no longer work.")
