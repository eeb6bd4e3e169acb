"""Generate the table of predefined roles in docs/authorization.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError

from accessrules.authorization.catalog import PREDEFINED_ROLES, PredefinedRole
from accessrules.authorization.grants import ACTIONS
from runai_access.commands import OperatorCommand

BEGIN, END = "<!-- role table -->", "<!-- end of role table -->"
_ALL = "".join(ACTIONS)


class Command(OperatorCommand):
    help = "Prints the predefined roles as a Markdown table, or updates the table in a document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", metavar="FILE", type=Path, help="the document to update")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"] is None:
            self.stdout.write(role_table())
            return
        text = options["write"].read_text(encoding="utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise CommandError(f"{options['write']} has no lines {BEGIN} and {END}.")
        new = f"{before}{BEGIN}\n{role_table()}\n{END}{after}"
        options["write"].write_text(new, encoding="utf-8")


def role_table() -> str:
    """Return the table: one row for each role, with its resource types by allowed actions."""
    head = "| Role | ID | Assignable | create, read, update, delete | read only | other |"
    rows = [_row(role) for role in sorted(PREDEFINED_ROLES, key=lambda role: role.name)]
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _row(role: PredefinedRole) -> str:
    everything = [key for key, letters in role.permissions.items() if set(letters) == set(_ALL)]
    reading = [key for key, letters in role.permissions.items() if letters == "r"]
    other = [
        f"{key} ({', '.join(ACTIONS[letter] for letter in letters)})"
        for key, letters in role.permissions.items()
        if key not in everything and key not in reading
    ]
    cells = [
        role.name,
        str(role.id),
        "yes" if role.assignable else "no",
        *(", ".join(sorted(keys)) or "-" for keys in (everything, reading, other)),
    ]
    return f"| {' | '.join(cells)} |"
