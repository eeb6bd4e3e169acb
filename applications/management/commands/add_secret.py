"""Add a client secret to an application, to rotate it without downtime."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from applications.actions.new_secrets import default_expiry
from applications.actions.secrets import add_secret
from applications.management.applications import application_named
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Adds a client secret to an application and prints it. Its other secrets keep working."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--label", default="", help="where the secret is used")
        parser.add_argument(
            "--expires-in-days",
            type=int,
            metavar="DAYS",
            help="days until it expires (default: the setting of the installation)",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print only {id, clientId, clientSecret, expiresAt} to standard output",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days: int | None = options["expires_in_days"]
        # A number of days beyond every date is an expiry as far away as a date can be.
        lifetime = timedelta(days=max(-1, min(days or 0, 36_500)))
        names = {"label": "--label", "expiresAt": "--expires-in-days"}
        with report_refusals(names):
            issued = add_secret(
                caller=SYSTEM,
                application_id=application_named(options["name"]).pk,
                label=options["label"],
                expires_at=default_expiry() if days is None else timezone.now() + lifetime,
            )
        expires_at = issued.stored.expires_at
        if options["json"]:
            document = {
                "id": issued.stored.pk,
                "clientId": issued.application.client_id,
                "clientSecret": issued.secret,
                "expiresAt": expires_at and expires_at.isoformat(timespec="seconds"),
            }
            self.stdout.write(json.dumps(document))
            return
        self.stdout.write(f"Added client secret {issued.stored.pk} to {issued.application.name}.")
        self.stdout.write(f"Client secret:  {issued.secret}")
        self.stdout.write("Store the client secret now. It is not shown again.")
