"""Django's command, which upgrades a database of the first release before it migrates."""

from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import connections

from runai_access.upgrade import first_release


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Upgrade, then migrate."""
        connection = connections[options["database"]]
        if not (options["plan"] or options["check_unapplied"]):
            first_release.upgrade(connection, self.stdout.write)
        elif first_release.is_first_release(connection):
            raise CommandError(
                "This is a database of the first release: migrate upgrades it before it migrates."
            )
        super().handle(*args, **options)
