"""Disables Django's command: permissions come from access rules, so there are no superusers."""

from typing import Any, NoReturn

from django.conf import settings
from django.core.management import CommandError

from runai_access.commands import OperatorCommand


class Command(OperatorCommand):
    help = "Not available: create_admin creates a System administrator."

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        """Raise a CommandError that names the command to use instead."""
        raise CommandError(f"There are no superusers. Use: {settings.COMMAND} create_admin EMAIL")
