"""Import scopes from a file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from accessrules.authorization.callers import SYSTEM
from accessrules.scope_import.apply import import_scopes, plan_import
from accessrules.scope_import.plan import Plan
from accessrules.scope_import.readers import FORMATS, Contents, format_of, read
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Creates, renames and moves clusters, departments and projects to match FILE, in one "
        "transaction, and shows the changes first. Idempotent. A scope is identified by its id, or "
        "without one by its parent and name. Scopes that are not in FILE stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV, JSON or YAML; - is standard input")
        parser.add_argument("--format", choices=FORMATS, help="default: from the extension of FILE")
        parser.add_argument(
            "--dry-run", action="store_true", help="only show the changes and errors"
        )
        parser.add_argument(
            "--remove",
            action="store_true",
            help="also remove scopes that are not in FILE; an error if they have access rules",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        remove = options["remove"]
        with report_refusals():
            contents = _contents(options["file"], options["format"])
            if options["dry_run"]:
                self._show(plan_import(contents, remove=remove))
                self.stdout.write("Dry run: nothing was changed.")
                return
            plan = import_scopes(caller=SYSTEM, contents=contents, remove=remove, show=self._show)
            if not plan.is_empty:
                self.stdout.write("Done.")

    def _show(self, plan: Plan) -> None:
        if plan.is_empty:
            self.stdout.write("No changes: the scopes match the file.")
            return
        for line in plan.lines():
            self.stdout.write(line)
        self.stdout.write(f"{plan.summary()}.")


def _contents(name: str, chosen: str | None) -> Contents:
    format_ = chosen or format_of(name)
    if not format_:
        raise CommandError(f"Unknown format of {name}. Set --format to csv, json or yaml.")
    if name == "-":
        return read(sys.stdin.buffer, format_)
    try:
        with Path(name).open("rb") as stream:
            return read(stream, format_)
    except OSError as error:
        raise CommandError(f"Can't read {name}: {error.strerror}.") from error
