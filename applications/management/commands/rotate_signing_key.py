"""Make the next key that signs tokens."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from applications.keyring import SIGNS_AFTER_SECONDS, rotate


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

    def handle(self, *args: Any, after: int, **options: Any) -> None:
        key = rotate(after_seconds=max(0, after))
        self.stdout.write(f"Key {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC on.")
