"""`manage.py prepare` or `migrate` in a process with short timeouts that can pause midway."""

import os
import sys
from collections.abc import Mapping
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from django.db import connection

from runai_access.db.leases import Lease, lease_for
from tests import processes

# Short, but long enough to renew in time on a busy machine.
EXPIRY = 6.0
RENEWAL = 0.5

# Arguments: the command, the statement to pause after ("" for none), and the timeouts. It prints
# STOPPED and continues when it has lost its lease.
_PROGRAM = """
import os, signal, sys, time
import django
# A shell starts background programs with this signal ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runai_access.settings")
django.setup()
from django.db import connection
from runai_access.db import exclusive

command, stop_at, expiry, renewal, notice, limit = *sys.argv[1:3], *map(float, sys.argv[3:])
exclusive.EXPIRY_SECONDS, exclusive.RENEWAL_SECONDS = expiry, renewal
exclusive.WAIT_NOTICE_SECONDS, exclusive.WAIT_LIMIT_SECONDS = notice, limit
exclusive.WAIT_POLL_SECONDS = 0.05
leases, real = [], exclusive.lease_for

def lease_for(*args, **options):
    leases.append(real(*args, **options))
    return leases[0]

def stop(execute, sql, *rest):
    answer = execute(sql, *rest)
    if stop_at in str(sql):
        print("STOPPED", flush=True)
        while leases[0].is_held:
            time.sleep(0.02)
    return answer

exclusive.lease_for = lease_for
if stop_at:
    connection.execute_wrappers.append(stop)
execute_from_command_line(["manage.py", command])
"""


class Preparing:
    """A running command. After a statement that contains `stop_at`, it waits to lose its lease."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        command: str = "prepare",
        stop_at: str = "",
        notice: float = 0.1,
        limit: float = 60,
    ) -> None:
        arguments = [command, stop_at, *map(str, (EXPIRY, RENEWAL, notice, limit))]
        self._errors = TemporaryFile("w+")  # noqa: SIM115  # open until it exits
        reader, writer = os.pipe()
        self._output = os.fdopen(reader)
        self.process = processes.start(
            [sys.executable, "-c", _PROGRAM, *arguments],
            environment=environment,
            stdout=writer,
            stderr=self._errors.fileno(),
        )
        os.close(writer)

    def wait_for_line(self, text: str) -> None:
        """Read its output until a line contains `text`."""
        for line in self._output:
            if text in line:
                return
        raise AssertionError(f"It exited without printing {text!r}: {self.finish()}")

    def kill(self) -> None:
        """Kill it, like a power failure."""
        self.process.kill()
        self.process.wait(30)

    def finish(self) -> tuple[int, str, str]:
        """Wait until it exits; return the exit status and the remaining output and errors."""
        status = self.process.wait(90)
        self._errors.seek(0)
        return status, self._output.read(), self._errors.read()


def lease_on(database: str, *, name: str = "prepare", expiry: float = EXPIRY) -> Lease:
    """Return a lease of this process on a database of the tests' server."""
    parts = urlsplit(database)
    other = connection.copy()
    other.settings_dict["NAME"] = parts.path[1:]
    return lease_for(other, name, expiry=expiry, renewal=RENEWAL)
