"""Bring the tree of scopes to what a file says."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from accessrules.authorization.callers import SYSTEM
from accessrules.scope_import.apply import import_scopes, plan_import
from accessrules.scope_import.plan import Plan
from accessrules.scope_import.readers import FORMATS, Contents, format_of, read
from runai_access.commands import report_refusals


class Command(BaseCommand):
    help = (
        "Makes the clusters, departments and projects what FILE says, all of it or nothing, and "
        "says first what that changes. Doing it again changes nothing. A scope is identified by "
        "its id, or without one by its parent and name; scopes that FILE does not name stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV, JSON or YAML; - is standard input")
        parser.add_argument("--format", choices=FORMATS, help="unless FILE's name ends with it")
        parser.add_argument(
            "--dry-run", action="store_true", help="only show what would change, and what is wrong"
        )
        parser.add_argument(
            "--remove",
            action="store_true",
            help="also remove scopes that FILE does not name; refused while they have access rules",
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
            if not plan.is_nothing:
                self.stdout.write("Done.")

    def _show(self, plan: Plan) -> None:
        if plan.is_nothing:
            self.stdout.write("Nothing to do: everything is as the file says.")
            return
        for line in plan.lines():
            self.stdout.write(line)
        self.stdout.write(f"{plan.summary()}.")


def _contents(name: str, chosen: str | None) -> Contents:
    format_ = chosen or format_of(name)
    if not format_:
        raise CommandError(f"Is {name} CSV, JSON or YAML? Say it with --format.")
    if name == "-":
        return read(sys.stdin.buffer, format_)
    try:
        with Path(name).open("rb") as stream:
            return read(stream, format_)
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror}.") from error
