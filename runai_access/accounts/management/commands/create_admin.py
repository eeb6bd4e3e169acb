"""Make a user System administrator, on installation or for recovery."""

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from accessrules.authorization.callers import SYSTEM
from runai_access import environment
from runai_access.accounts.actions import make_administrator
from runai_access.accounts.passwords import new_password
from runai_access.commands import OperatorCommand, report_refusals


class Command(OperatorCommand):
    help = (
        "Makes a user System administrator, enabled and with a new password: "
        "RUNAI_ACCESS_ADMIN_PASSWORD if it is set, or a random one that is printed once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--break-glass",
            action=BooleanOptionalAction,
            help="the user can sign in with a password whatever RUNAI_ACCESS_LOCAL_SIGN_IN says",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        configured = environment.text("RUNAI_ACCESS_ADMIN_PASSWORD")
        password = configured or new_password()
        with report_refusals({"email": "EMAIL", "password": "RUNAI_ACCESS_ADMIN_PASSWORD"}):
            user = make_administrator(
                caller=SYSTEM,
                email=options["email"],
                password=password,
                is_break_glass=options["break_glass"],
            )
        self.stdout.write(f"{user.email} is System administrator.")
        if user.is_break_glass:
            self.stdout.write("The user can always sign in with the password (break-glass).")
        if configured:
            self.stdout.write("The password is the one in RUNAI_ACCESS_ADMIN_PASSWORD.")
        else:
            self.stdout.write(f"Password: {password}")
            self.stdout.write("Store it now. It is not shown again.")
