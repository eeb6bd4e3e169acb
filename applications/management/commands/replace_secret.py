"""Replace the client secrets of a contained application and enable it."""

import json
from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from applications.containment import replace_secret_and_enable
from applications.management.applications import application_named
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Replaces all client secrets of a contained application with one, prints it, and enables the "
        "application."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--json",
            action="store_true",
            help="print only {id, clientId, clientSecret} to standard output",
        )

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        with report_refusals():
            issued = replace_secret_and_enable(
                caller=SYSTEM, application_id=application_named(name).pk
            )
        if options["json"]:
            document = {
                "id": issued.stored.pk, "clientId": name, "clientSecret": issued.secret,
            }  # fmt: skip
            self.stdout.write(json.dumps(document))
            return
        self.stdout.write(f"Enabled {name}. Its former client secrets are revoked.")
        self.stdout.write(f"Client secret:  {issued.secret}")
        self.stdout.write("Store the client secret now. It is not shown again.")
