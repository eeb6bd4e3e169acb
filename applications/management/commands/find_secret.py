"""Find client secrets in a text."""

import sys
from argparse import ArgumentParser, FileType
from typing import Any, TextIO

from accessrules.authorization.callers import SYSTEM
from applications.secret_search import search_secrets
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Says which client secrets a text contains, of which applications, and whether they are live. "
        "Reads a file or standard input, because arguments are visible to other users."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", nargs="?", help="the text (default: standard input)",
            type=FileType(errors="replace"), default=sys.stdin,
        )  # fmt: skip

    def handle(self, *args: Any, file: TextIO, **options: Any) -> None:
        with report_refusals():
            search = search_secrets(caller=SYSTEM, text=file.read())
        for found in search.found:
            self.stdout.write(
                f"{found.beginning:18}  {found.application_name or '-'}  {found.explanation}"
            )
        if search.skipped:
            self.stdout.write(f"{search.skipped} more were not checked. Pass the rest alone.")
        if not search.found:
            self.stdout.write("The text contains nothing that looks like a client secret.")
