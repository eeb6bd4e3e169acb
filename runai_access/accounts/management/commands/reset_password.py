"""Reset a user's password."""

from argparse import ArgumentParser
from typing import Any

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts.actions import reset_password
from runai_access.accounts.passwords import new_password
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = "Sets a random password for a user and prints it once. All their sessions end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        password = new_password()
        with report_refusals({"email": "EMAIL"}):
            user = reset_password(caller=SYSTEM, email=options["email"], password=password)
        self.stdout.write(f"New password of {user.email}: {password}")
        self.stdout.write("Store it now. It is not shown again.")
        if not user.is_active:
            self.stderr.write(f"{user.email} is disabled and can't sign in until enabled.")
