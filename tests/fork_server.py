"""The fork server: imports the application once, then forks a process for each Python program.

`tests.processes` starts it and sends the programs. A forked process does what `python ARGUMENTS` does,
with its own environment and settings. It inherits only code: the fork server opens no database
connection, starts no thread and handles no signal. Unlike started processes, forked ones have the same
hash seed, and do not write what is left in the buffer of a file that they have not closed.

If code was imported with another environment or other settings than the program has, the forked process
replaces itself by a newly started Python.
"""

import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import django
from django.conf import Settings, settings
from django.core.management import get_commands, load_command_class
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.urls import get_resolver
from django.utils.module_loading import import_string

import runai_access

SETTINGS = "runai_access.settings"
# Prefixes of variables that can differ: only the settings and code that runs later read them.
SETTINGS_VARIABLES = ("RUNAI_ACCESS_", "DATABASE_URL", "PORT", "DJANGO_", "GRANIAN_")
# pytest and pytest-xdist set them.
TEST_VARIABLES = ("PYTEST_", "COLUMNS", "LINES")
VARIABLES = SETTINGS_VARIABLES + TEST_VARIABLES
# Settings that were read, but `django.setup` and `_adopt_settings` apply those of the program.
APPLIED_AGAIN = {"LOGGING", "DATABASES"}
MAX_REQUEST_BYTES = 128 * 1024


@dataclass(frozen=True)
class Program:
    """What to run: `python ARGUMENTS` with this environment, and with files as its standard streams."""

    arguments: list[str]
    environment: dict[str, str]
    files: list[int]

    def become(self, environment: dict[str, str], imported: dict[str, Any]) -> None:
        """Prepare this process, whose code was imported with an environment and settings, to run it."""
        for number, file in enumerate(self.files):
            os.dup2(file, number)
            os.close(file)
        if not self._adopt_environment(environment) or not _adopt_settings(imported):
            os.execve(sys.executable, [sys.executable, *self.arguments], self.environment)  # noqa: S606  # no shell

    def _adopt_environment(self, imported: dict[str, str]) -> bool:
        """Set the environment; return whether a newly started Python would be the same."""
        os.environ.clear()
        os.environ.update(self.environment)
        names = imported.keys() | self.environment.keys()
        changed = {name for name in names if imported.get(name) != self.environment.get(name)}
        module = self.environment.get("DJANGO_SETTINGS_MODULE", SETTINGS)
        return module == SETTINGS and all(name.startswith(VARIABLES) for name in changed)

    def run(self) -> None:
        match self.arguments:
            case ["-m", module, *rest]:
                sys.argv, sys.path[0] = ["-m", *rest], str(Path.cwd())
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case ["-c", code, *rest]:
                sys.argv = ["-c", *rest]
                exec(code, {"__name__": "__main__"})  # noqa: S102  # the program
            case [script, *_]:
                sys.argv, sys.path[0] = self.arguments, str(Path(script).absolute().parent)
                runpy.run_path(script, run_name="__main__")


def _adopt_settings(imported: dict[str, Any]) -> bool:
    """Read the settings again; return whether those that the imported code has read are the same."""
    del sys.modules[SETTINGS], runai_access.settings
    connections.__dict__.pop("settings")
    connections.__init__()  # type: ignore[misc]  # as new: without settings and connections
    try:
        settings._wrapped = Settings(SETTINGS)
    except Exception:  # noqa: BLE001  # the new process reports it
        return False
    return all(getattr(settings, name) == value for name, value in imported.items())


def main() -> None:
    """Fork a process for each program, and run the program there."""
    environment = dict(os.environ)  # Django adds to it
    _import_application()
    # Django keeps each setting that was read in this dictionary.
    imported = {name: value for name, value in vars(settings).items() if name.isupper()}
    for name in APPLIED_AGAIN:
        del imported[name]
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "A forked process has no threads."
    if program := _next_program(socket.socket(fileno=int(sys.argv[1]))):
        program.become(environment, imported)
        _exit_after(program.run)


def _exit_after(run: Callable[[], None]) -> NoReturn:
    """Call `run` and exit like Python, but without freeing all objects.

    That would copy most of the memory that processes share, and take four times as long as the fork.
    """
    status: object = None
    try:
        run()
    except SystemExit as end:
        status = end.code
        if not isinstance(status, int | None):
            sys.stderr.write(f"{status}\n")
            status = 1
    except BaseException as error:  # noqa: BLE001  # as Python does
        sys.excepthook(type(error), error, error.__traceback__)
        status = error
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    if isinstance(status, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    os._exit(status if isinstance(status, int) else int(status is not None))


def _import_application() -> None:
    """Import what commands and servers import, except the WSGI application: it reads static files."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    django.setup()
    get_resolver().url_patterns  # noqa: B018  # imports every view
    for middleware in settings.MIDDLEWARE:
        import_string(middleware)
    for name, app in get_commands().items():
        if isinstance(app, str):
            load_command_class(app, name)
    MigrationLoader(None)
    import runai_access.background.heartbeat
    import runai_access.background.scheduler
    import runai_access.server.__main__
    import runai_access.server.gateway
    import runai_access.server.readiness
    import runai_access.server.worker  # noqa: F401

    gc.collect()
    gc.freeze()  # a collection would copy the memory that processes share


def _next_program(listener: socket.socket) -> Program | None:
    """Fork until standard input is closed; return the program in each forked process."""
    with listener, selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is not listener:
                    _report_exit(selector, key)
                elif program := _fork(selector, listener.accept()[0]):
                    return program


def _fork(selector: selectors.BaseSelector, client: socket.socket) -> Program | None:
    """Fork a process for the program that a client sends; return it in the forked process."""
    message, files, flags, _ = socket.recv_fds(client, MAX_REQUEST_BYTES, 3)
    if flags & socket.MSG_TRUNC:
        sys.stderr.write(f"A request is longer than {MAX_REQUEST_BYTES} bytes.\n")
        message = b""
    if not message:  # also if the client has ended
        for file in files:
            os.close(file)
        client.close()
        return None
    program = Program(**json.loads(message), files=files)
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        client.close()
        for key in selector.get_map().values():
            if key.data:
                _close(key)
        return program
    with suppress(OSError):  # also here, so that the client can rely on the group
        os.setpgid(pid, pid)
    for file in files:
        os.close(file)
    _send(client, pid)
    selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, client))
    return None


def _report_exit(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Send the exit status of a process to the client that asked for it."""
    pid, client = key.data
    _, status = os.waitpid(pid, 0)
    _send(client, os.waitstatus_to_exitcode(status))
    selector.unregister(key.fileobj)
    _close(key)


def _send(client: socket.socket, number: int) -> None:
    with suppress(OSError):  # the client has ended
        client.send(str(number).encode())


def _close(key: selectors.SelectorKey) -> None:
    _, client = key.data
    client.close()
    os.close(key.fd)
