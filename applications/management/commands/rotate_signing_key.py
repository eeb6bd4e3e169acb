"""Create a new signing key for tokens."""

from typing import Any

from django.core.management.base import CommandParser

from applications.oauth.keyring import SIGNS_AFTER_SECONDS, replace_all, rotate
from runai_access.commands import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Creates a new signing key for tokens. It is published immediately and used after "
        f"{SIGNS_AFTER_SECONDS} s, when all replicas have loaded it. Tokens signed with the previous "
        "key stay valid until they expire."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after",
            type=int,
            default=SIGNS_AFTER_SECONDS,
            metavar="SECONDS",
            help="seconds until the new key is used (default: %(default)s)",
        )
        parser.add_argument(
            "--end-others",
            action="store_true",
            help="delete all other keys, which invalidates all tokens, and use the new key "
            "immediately. For a leaked key, or a lost RUNAI_ACCESS_SECRET_KEY",
        )

    def handle(self, *args: Any, after: int, end_others: bool, **options: Any) -> None:
        key = replace_all() if end_others else rotate(after_seconds=max(0, after))
        self.stdout.write(
            f"Key {key.kid} signs tokens from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC."
        )
        if end_others:
            self.stdout.write("All tokens signed with other keys are invalid.")
