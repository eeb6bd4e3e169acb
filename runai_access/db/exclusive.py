"""Let one process at a time prepare a database; the others wait."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.db.backends.base.base import BaseDatabaseWrapper

from runai_access.db.leases import EXPIRY_SECONDS, RENEWAL_SECONDS, Lease, LeaseLost, lease_for

WAIT_NOTICE_SECONDS = 5.0
WAIT_LIMIT_SECONDS = 10 * 60.0
WAIT_POLL_SECONDS = 0.2


@contextmanager
def database(connection: BaseDatabaseWrapper, output: OutputWrapper | TextIO) -> Iterator[None]:
    """Hold the lease on preparing a database; every statement in the block requires it.

    Raises CommandError if another process holds it for WAIT_LIMIT_SECONDS, or if it is lost.
    """
    lease = lease_for(connection, "prepare", expiry=EXPIRY_SECONDS, renewal=RENEWAL_SECONDS)
    try:
        with (
            held(lease, "preparing this database", output),
            connection.execute_wrapper(_only_while_held(lease)),
        ):
            yield
    except LeaseLost as error:
        raise CommandError(
            f"Stopped: the database did not respond for {EXPIRY_SECONDS:.0f} seconds, so another "
            "instance might be preparing it now. Start again."
        ) from error


@contextmanager
def database_without_server(
    connection: BaseDatabaseWrapper, output: OutputWrapper | TextIO
) -> Iterator[None]:
    """Like `database`, but raise CommandError if a server uses the database: it holds this lease."""
    background = lease_for(connection, "background")
    try:
        with database(connection, output):
            if not background.try_acquire():
                raise CommandError(f"Stop the server first: {background.holder()}.")
            yield
    finally:
        background.release()


@contextmanager
def held(lease: Lease, action: str, output: OutputWrapper | TextIO) -> Iterator[None]:
    """Hold a lease, waiting while another process holds it; `action` is its activity."""
    try:
        _wait_for(lease, action, output)
        yield
    finally:
        lease.release()


def _wait_for(lease: Lease, action: str, output: OutputWrapper | TextIO) -> None:
    # Polled: a blocking lock would belong to a session, and Ctrl-C could not interrupt it.
    started, is_reported = time.monotonic(), False
    while not lease.try_acquire():
        waited = time.monotonic() - started
        if waited >= WAIT_LIMIT_SECONDS:
            raise CommandError(
                f"Gave up after {WAIT_LIMIT_SECONDS / 60:.0f} minutes: another instance is "
                f"{action}: {lease.holder()}. Wait until it finishes or stop it, then start again."
            )
        if waited >= WAIT_NOTICE_SECONDS and not is_reported:
            output.write(f"Waiting for another instance that is {action}.\n")
            output.flush()
            is_reported = True
        time.sleep(WAIT_POLL_SECONDS)


def _only_while_held(lease: Lease) -> Callable[..., Any]:
    """Return an execute wrapper that raises LeaseLost instead of running a statement without it."""

    def run(execute: Callable[..., Any], *statement: Any) -> Any:
        lease.require_held()
        return execute(*statement)

    return run
