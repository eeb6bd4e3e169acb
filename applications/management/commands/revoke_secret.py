"""Revoke one client secret of an application."""

from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from applications.actions.secrets import revoke_secret
from applications.management.applications import application_named
from applications.models import Application
from applications.oauth.secrets import is_id
from applications.secret_reports import reports_of
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.errors import Conflict, NotFound


class Command(OperatorCommand):
    help = (
        "Revokes a client secret of an application. It and the tokens issued with it stop working "
        "immediately. list_secrets prints the IDs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("id", metavar="SECRET_ID")
        parser.add_argument(
            "--if-unused",
            action="store_true",
            help="refuse, with the callers, unless it has not been used for a day",
        )

    def handle(
        self,
        *args: Any,
        name: str,
        id: str,  # noqa: A002
        if_unused: bool,
        **options: Any,
    ) -> None:
        with report_refusals():
            application = application_named(name)
            if if_unused:
                _require_unused(application, id)
            try:
                revoke_secret(caller=SYSTEM, application_id=application.pk, secret_id=id)
            except NotFound:
                raise NotFound(f"{name} has no live or expired client secret {id!r}.") from None
        self.stdout.write(f"Revoked client secret {id} of {name}.")


def _require_unused(application: Application, secret_id: str) -> None:
    for report in reports_of(application, secret_id) if is_id(secret_id) else ():
        if not report.is_safe_to_revoke:
            callers = "; ".join(
                f"{caller.address} {caller.agent}".strip() or "others"
                for caller in report.recent_callers
            )
            raise Conflict(f"Client secret {secret_id} is in use by {callers or 'someone'}.")
