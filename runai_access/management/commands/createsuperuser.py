"""Django's command makes no sense here: rights come from access rules."""

from typing import Any, NoReturn

from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Not available: create_admin creates a System administrator."

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        """Raise CommandError that names the command to use instead."""
        raise CommandError("There are no superusers. Use: manage.py create_admin EMAIL")
