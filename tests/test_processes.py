"""A forked process behaves like one that Python was started for."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests import processes
from tests.servers import SERVER_SETTINGS, environment_on, server_environment

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only"),
]

# What a program can see of its process.
_REPORT = """
import gc, json, os, random, resource, signal, sys, threading
print(json.dumps({
    "name": __name__, "argv": sys.argv, "path": sys.path[0], "flags": list(sys.flags),
    "environment": dict(os.environ), "folder": os.getcwd(), "umask": os.umask(0o022),
    "input": sys.stdin.read(), "leads its group": os.getpgrp() == os.getpid(),
    "streams": [(stream.encoding, stream.errors, stream.line_buffering, stream.write_through)
                for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "signals": [str(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()],
    "blocked": list(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "files": sorted(os.listdir("/proc/self/fd"))[:3], "count": len(os.listdir("/proc/self/fd")),
    "threads": len(os.listdir("/proc/self/task")), "collects": gc.get_threshold(),
    "limits": [resource.getrlimit(value) for name, value in sorted(vars(resource).items())
               if name.startswith("RLIMIT_")],
}))
print("an error", file=sys.stderr)
sys.exit(3)
"""
_SETTINGS = """
import django
django.setup()
from django.conf import settings
from django.db import connection
from applications.api.serializers import TENANT_ID
print(settings.PUBLIC_URL, TENANT_ID, connection.settings_dict["NAME"])
"""
_WAIT = """
import signal, time
# A shell starts background programs with this signal ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
print("waits", flush=True)
time.sleep(600)
"""
# The last argument of the fork server is the number of a file descriptor.
_IS_FORKED = "import sys; print(sys.orig_argv[-1].isdecimal(), end='')"


def run(*arguments: str, stdin: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = server_environment(
        {**SERVER_SETTINGS, "DJANGO_SETTINGS_MODULE": "runai_access.settings", **settings}
    )
    return processes.run([sys.executable, *arguments], environment=environment, stdin=stdin)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that calls another twice: its processes are forked, then started."""

    def call(function: Callable[[], Any]) -> tuple[Any, Any]:
        forked = function()
        with monkeypatch.context() as patch:
            patch.setattr(processes, "fork_server", None)
            return forked, function()

    return call


def test_a_forked_process_is_like_a_started_one(both: Callable[..., Any]) -> None:
    forked, started = both(lambda: run("-c", _REPORT, "one", "two", stdin="é\n", PORT="81"))
    assert json.loads(forked.stdout) == json.loads(started.stdout)
    assert (forked.stderr, forked.returncode) == ("an error\n", 3)


def test_commands_and_modules_run_as_main(both: Callable[..., Any]) -> None:
    for arguments in (["manage.py", "serve"], ["-m", "runai_access.server", "127.0.0.1", "-1"]):
        forked, started = both(lambda: run(*arguments, PORT="x"))  # noqa: B023  # called here
        assert forked.stderr.splitlines()[-1] == started.stderr.splitlines()[-1] != ""
        assert forked.returncode == started.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_signals_end_a_forked_process(both: Callable[..., Any], number: signal.Signals) -> None:
    def end() -> int:
        reader, writer = os.pipe()
        process = processes.start(
            [sys.executable, "-c", _WAIT],
            environment=server_environment(SERVER_SETTINGS),
            stdout=writer,
            stderr=writer,
        )
        os.close(writer)
        with open(reader, "rb") as output:  # noqa: PTH123  # a descriptor
            assert output.readline() == b"waits\n"
            assert process.poll() is None
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.001)
            os.killpg(process.pid, number)
            return process.wait(30)

    assert both(end) == (-number, -number)


def test_forked_processes_draw_different_random_numbers() -> None:
    numbers = {run("-c", "import random; print(random.random())").stdout for _ in range(2)}
    assert len(numbers) == 2


def test_each_forked_process_reads_its_own_settings() -> None:
    for name in ("one", "two"):
        settings = {"RUNAI_ACCESS_URL": f"http://{name}", "DATABASE_URL": f"sqlite:////{name}"}
        done = run("-c", _SETTINGS, **settings)
        assert done.stdout == f"http://{name} 1001 /{name}\n", done.stderr
        assert run("-c", _IS_FORKED, **settings).stdout == "True"


@pytest.mark.parametrize(
    "changed", [{"RUNAI_ACCESS_ACCOUNT_ID": "7"}, {"PYTHONOPTIMIZE": "1"}, {"DATABASE_URL": "no"}]
)
def test_a_process_starts_if_its_code_depends_on_what_changed(changed: dict[str, str]) -> None:
    assert run("-c", _IS_FORKED, **changed).stdout == "False"


def test_a_setting_that_is_read_on_import_has_the_value_of_the_process() -> None:
    done = run("-c", _SETTINGS, RUNAI_ACCESS_ACCOUNT_ID="7", RUNAI_ACCESS_URL="http://a")
    assert done.stdout.startswith("http://a 7 "), done.stderr


_LOAD_EACH_COMMAND = """
import os, django
django.setup()
from django.core.management import get_commands, load_command_class
for name, app in get_commands().items():
    if not app.startswith("django."):
        pid = os.fork()
        if not pid:
            load_command_class(app, name)
            os._exit(0)
        print(name, os.waitpid(pid, 0)[1])
"""


def test_each_command_imports_what_it_needs() -> None:
    """Forked commands can't show it: the fork server has imported everything."""
    environment = environment_on("sqlite:///unused")
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_EACH_COMMAND],
        cwd=processes.ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "runai_access.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    results = dict(line.split() for line in done.stdout.splitlines())
    assert len(results) > 20
    assert {name for name, status in results.items() if status != "0"} == set(), done.stderr


def test_a_program_that_is_too_long_fails_alone() -> None:
    with pytest.raises(AssertionError, match="longer than"):
        run("-c", "", PORT="1" * 200_000)
    assert run("-c", "print('next')").stdout == "next\n"
