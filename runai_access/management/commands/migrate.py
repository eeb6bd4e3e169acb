"""Django's command, which upgrades a database of the first release before it migrates."""

import time
from itertools import count
from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from runai_access.db import exclusive
from runai_access.upgrade import first_release

# How long a migration is repeated that does not get a lock, and the pause in which others work.
LOCK_LIMIT_SECONDS = 10 * 60.0
LOCK_PAUSE_SECONDS = 1.0
# SQLSTATEs of a statement that does not get a lock: lock_not_available, deadlock_detected.
_NOT_LOCKED = {"55P03", "40P01"}


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
        options["skip_checks"] = True  # as every command of operators
        started = time.monotonic()
        for attempt in count():
            try:
                first_release.upgrade(connection, self.stdout.write)
                super().handle(*args, **options)
            except OperationalError as error:
                is_over = time.monotonic() - started > LOCK_LIMIT_SECONDS
                if is_over or getattr(error.__cause__, "sqlstate", "") not in _NOT_LOCKED:
                    raise
            else:
                return
            # The transaction was rolled back. What was migrated before it is not repeated.
            if attempt == 0:
                self.stdout.write("Waiting for a transaction that uses a table, such as a backup.")
            time.sleep(LOCK_PAUSE_SECONDS)
