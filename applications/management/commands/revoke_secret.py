"""Revoke one client secret of an application."""

from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from applications.actions import revoke_secret
from applications.management.applications import application_named
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.errors import NotFound


class Command(OperatorCommand):
    help = (
        "Revokes a client secret of an application. It and the tokens issued with it stop working "
        "immediately. list_secrets prints the IDs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("id", metavar="SECRET_ID")

    def handle(self, *args: Any, name: str, id: str, **options: Any) -> None:  # noqa: A002
        with report_refusals():
            application = application_named(name)
            try:
                revoke_secret(caller=SYSTEM, application_id=application.pk, secret_id=id)
            except NotFound:
                raise NotFound(f"{name} has no live or expired client secret {id!r}.") from None
        self.stdout.write(f"Revoked client secret {id} of {name}.")
