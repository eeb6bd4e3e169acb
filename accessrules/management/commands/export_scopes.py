"""Export the scopes to a file that `import_scopes` can read."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from accessrules.models import Scope
from accessrules.scope_import.readers import FORMATS, format_of
from accessrules.scope_import.writers import write
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Exports all clusters, departments and projects to a file that import_scopes can read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", nargs="?", help="the output file; default or -: standard output"
        )
        parser.add_argument("--format", choices=FORMATS, help="default: from the extension of FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        name = "" if options["file"] in (None, "-") else options["file"]
        format_ = options["format"] or format_of(name) or ("" if name else "csv")
        if not format_:
            raise CommandError(f"Unknown format of {name}. Set --format to csv, json or yaml.")
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
            raise CommandError(f"Can't write {name}: {error.strerror}.") from error
        self.stdout.write(
            f"Wrote {len(scopes):,} scope{'' if len(scopes) == 1 else 's'} to {name}."
        )
