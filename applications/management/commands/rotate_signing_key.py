"""Make the next key that signs tokens."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from applications.oauth.keyring import SIGNS_AFTER_SECONDS, replace_all, rotate


class Command(BaseCommand):
    help = (
        "Make the next key that signs tokens. It is published at once and signs after "
        f"{SIGNS_AFTER_SECONDS} s, when every replica knows it; tokens of the previous key stay good "
        "until they expire."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after",
            type=int,
            default=SIGNS_AFTER_SECONDS,
            metavar="SECONDS",
            help="sign with it after this many seconds (%(default)s unless given)",
        )
        parser.add_argument(
            "--end-others",
            action="store_true",
            help="remove every other key: all tokens end, and the new key signs at once. For a key "
            "that got out, and for keys that were made under a lost RUNAI_ACCESS_SECRET_KEY",
        )

    def handle(self, *args: Any, after: int, end_others: bool, **options: Any) -> None:
        key = replace_all() if end_others else rotate(after_seconds=max(0, after))
        self.stdout.write(f"Key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC on.")
        if end_others:
            self.stdout.write("Every token of another key has ended.")
