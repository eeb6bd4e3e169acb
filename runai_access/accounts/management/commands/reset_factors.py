"""Remove the second factors of a user."""

from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts.mfa.actions import reset_factors
from runai_access.accounts.models import User
from runai_access.commands import OperatorCommand, report_refusals
from runai_access.errors import NotFound


class Command(OperatorCommand):
    help = (
        "Removes the authenticator app, the passkeys and the recovery codes of a user who lost them. "
        "All their sessions end, and their password alone is enough for the next sign-in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        with report_refusals({"email": "EMAIL"}):
            user = User.objects.with_email(email).first()
            if user is None:
                raise NotFound(f"No user has the email {email!r}.")
            reset_factors(caller=SYSTEM, user_id=user.pk)
        self.stdout.write(f"Removed the second factors of {user.email}.")
