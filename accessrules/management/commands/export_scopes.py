"""Write the tree of scopes to a file that `import_scopes` reads."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from accessrules.models import Scope
from accessrules.scope_import.readers import FORMATS, format_of
from accessrules.scope_import.writers import write
from runai_access.commands import report_refusals


class Command(BaseCommand):
    help = "Writes all clusters, departments and projects in the form that import_scopes reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", nargs="?", help="where to; - or nothing: to standard output"
        )
        parser.add_argument("--format", choices=FORMATS, help="unless FILE's name ends with it")

    def handle(self, *args: Any, **options: Any) -> None:
        name = "" if options["file"] in (None, "-") else options["file"]
        format_ = options["format"] or format_of(name) or ("" if name else "csv")
        if not format_:
            raise CommandError(f"Is {name} to be CSV, JSON or YAML? Say it with --format.")
        with report_refusals():
            scopes = list(Scope.objects.filter(depth__gt=1).select_related("parent"))
        lines = write(scopes, format_)
        if not name:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        try:
            with Path(name).open("w", encoding="utf-8", newline="") as stream:
                stream.writelines(lines)
        except OSError as error:
            raise CommandError(f"{name} can't be written: {error.strerror}.") from error
        self.stdout.write(
            f"Wrote {len(scopes):,} scope{'' if len(scopes) == 1 else 's'} to {name}."
        )
