"""Django's command, which upgrades a database of the first release before it migrates."""

from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from runai_access.db import exclusive
from runai_access.upgrade import first_release


class Command(migrate.Command):
    # Set by a caller that already holds the lease on the database.
    stealth_options = ("is_exclusive",)

    def handle(self, *args: Any, **options: Any) -> None:
        """Upgrade, then migrate, while no other process does."""
        connection = connections[options["database"]]
        if options["plan"] or options["check_unapplied"]:
            if first_release.is_first_release(connection):
                raise CommandError(
                    "This is a database of the first release: migrate upgrades it before it migrates."
                )
            super().handle(*args, **options)
        elif options.pop("is_exclusive", False):
            self._migrate(connection, *args, **options)
        else:
            with exclusive.database(connection, self.stdout):
                self._migrate(connection, *args, **options)

    def _migrate(self, connection: BaseDatabaseWrapper, *args: Any, **options: Any) -> None:
        first_release.upgrade(connection, self.stdout.write)
        options["skip_checks"] = True  # as every command of operators
        super().handle(*args, **options)
