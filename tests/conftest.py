"""Fixtures for all tests: real servers and a browser."""

import gc
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest import runner
from argon2 import PasswordHasher, Type
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from accessrules.models import RuleCount
from applications.oauth.keyring import KEYRING
from runai_access.accounts.hashers import BoundedArgon2Hasher
from runai_access.audit import recorder
from runai_access.security import hashing
from runai_access.server.frames import with_space_for_frames
from tests import databases, processes, sizes
from tests.servers import PREPARING_SETTINGS, Server, environment_on, fresh_database, launch
from tests.settings import OWNS_RUN_FOLDER

StartServer = Callable[..., Server]
# Debian's headless shell first: it takes a third of the CPU time of the whole browser.
CHROMIUM_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
CHROMIUM_ON_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # The rest saves CPU time: optimizing the scripts of a page costs more than it saves in a test.
    "--js-flags=--no-opt --no-maglev",
    "--renderer-process-limit=1",
]
if sys.platform == "linux":
    CHROMIUM_ARGUMENTS.append("--in-process-gpu")


# Browsers and clients can't tell the databases apart.
CLIENT_FOLDERS = {"browser", "clients"}
# Markers of tests that do not run with most others; see .ci/test.
PHASES = {"waiting", "alone"}
# A file whose tests all have the marker.
ON_ANY_DATABASE = re.compile(r"^pytestmark = .*any_database", re.MULTILINE)
# How secrets are hashed, and the time and memory that hashing a password costs. Tests hash with
# Argon2id at the lowest cost, except those marked `full_hashing`.
FULL_COST = (hashing._hasher, BoundedArgon2Hasher.time_cost, BoundedArgon2Hasher.memory_cost)
LOWEST_COST = (PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.ID), 1, 8)
# Tests that use one of these start servers, databases or browsers, or wait for them.
SLOW_FIXTURES = {"server", "server_factory", "start_server", "clone", "empty_database", "cluster"}


# A property has no time limit per example: a machine that does other things would fail it. In CI the
# examples are the same in each run ("ci" is Hypothesis's own profile).
settings.register_profile(
    "tests",
    settings.get_profile("ci" if os.environ.get("CI") == "true" else "default"),
    deadline=None,
    max_examples=sizes.EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore files in which `-m` selects nothing: importing the official client takes seconds."""
    markers: str = config.option.markexpr
    if not collection_path.match("test_*.py"):
        return None
    code = collection_path.read_text(encoding="utf-8")
    if "not any_database" in markers and (
        collection_path.parent.name in CLIENT_FOLDERS or ON_ANY_DATABASE.search(code)
    ):
        return True
    phase = markers.partition(" ")[0]
    return (phase in PHASES and f"mark.{phase}" not in code) or None


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Let pytest-xdist start the files that take longest first."""
    for item in items:
        if item.path.parent.name in CLIENT_FOLDERS:
            item.add_marker(pytest.mark.any_database)
    yield  # pytest-randomly shuffles them
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = {item.path for item in items if SLOW_FIXTURES & set(_fixtures(item))}
        sizes = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path not in slow, -sizes[item.path], item.path))


def pytest_collection_finish() -> None:
    """Exclude the code and the tests from garbage collection, which would take a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what this process knows of the previous test, whose database was rolled back.

    A hook, because an autouse fixture takes longer for each test than all of this. It runs before the
    fixtures of the module, too.
    """
    KEYRING.forget()
    recorder.recently_logged.clear()
    recorder._refusals = recorder._Refusals()
    for file in django_settings.VAR_DIR.iterdir():
        if file.name.startswith("audit-head-"):
            file.unlink()
    cost = FULL_COST if item.get_closest_marker("full_hashing") else LOWEST_COST
    hashing._hasher, BoundedArgon2Hasher.time_cost, BoundedArgon2Hasher.memory_cost = cost


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test with space for its frames: tests that send requests take a fifth less time.

    In place of pytest's own hook, so plugins can only wrap it.
    """
    return _run_with_space_for_frames(item, nextitem)


_run_with_space_for_frames = with_space_for_frames(runner.pytest_runtest_protocol)


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


def pytest_configure() -> None:
    """Fork the processes of tests, except on macOS, where forking is not safe."""
    # pytest-xdist's workers inherit the address.
    address = databases.run_folder() / f"fork-server-{os.getpid()}"
    address = Path(os.environ.setdefault("TESTS_FORK_SERVER", str(address)))
    if sys.platform == "linux" and len(str(address)) < processes.MAX_ADDRESS_LENGTH:
        environment = environment_on(os.environ.get("DATABASE_URL", "sqlite:///unused"))
        processes.fork_server = processes.ForkServer(address, environment)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Start the fork server that the processes of a run share."""
    if processes.fork_server:
        processes.fork_server.start()


def pytest_unconfigure() -> None:
    if processes.fork_server:
        processes.fork_server.stop()
    if OWNS_RUN_FOLDER:
        databases.remove_run()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Create the test database of this process: a copy of the migrated one."""
    from django.db import connection

    with django_db_blocker.unblock():
        name = connection.creation._get_test_db_name()
    databases.copy_to(name)
    yield
    with django_db_blocker.unblock():
        connection.close()
    databases.drop(name)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Let pytest-django use the copy instead of creating a database."""
    return True


@pytest.fixture(autouse=True, scope="session")
def _audit_log_can_be_flushed() -> Iterator[None]:
    """Disable the audit triggers for Django's flush after a test on a real database.

    In one transaction, so no test runs without them. SQLite also counts the deleted access rules.
    """
    from runai_access.audit import guards

    def emptied(operations: Any, statements: list[str]) -> None:
        removal = guards.removing(operations.connection)
        installation = guards.installing(operations.connection)
        counts = [sql for sql in statements if sql.startswith("DELETE") and rule_counts in sql]
        flush(operations, [*removal, *statements, *counts, *installation])

    rule_counts = f'"{RuleCount._meta.db_table}"'
    flush = BaseDatabaseOperations.execute_sql_flush
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", emptied)
        yield


def skip_for_missing_tool(reason: str) -> NoReturn:
    """Skip the test on a developer's machine; fail in CI, where every tool must exist."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"Missing in CI: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def rows_of_module(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let module fixtures create rows for all tests of a file; each test's changes are rolled back.

    Not for files with tests that commit (`transaction=True`).
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def connection_kept() -> Iterator[None]:
    """Let requests leave the test's own database connection open, as Django's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="session")
def server_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start servers that live until the tests end; see `start_server`."""
    with _factory(tmp_path_factory.mktemp("servers")) as start:
        yield start


@pytest.fixture(scope="session")
def server(server_factory: StartServer) -> Server:
    """The server that tests share: a real one, with an administrator and no example organization.

    Data that a test creates stays; use unique names and never count all rows.
    """
    return server_factory()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers that stop after the test.

    `start_server()` waits until it is ready, on a separate database that `prepare` got ready. With
    `is_empty=True`, `manage.py serve` prepares an empty one. `database=` uses another server's, so
    that the two are replicas. `environment=` adds settings. `prepares=True` runs `manage.py serve`,
    and `command=` another command. `wait=False` returns immediately.
    """
    with _factory(tmp_path) as start:
        yield start


@contextmanager
def _factory(folder: Path) -> Iterator[StartServer]:
    servers: list[Server] = []
    prepared: set[str] = set()
    with ExitStack() as stack:

        def start(
            *,
            database: str = "",
            environment: dict[str, str] | None = None,
            wait: bool = True,
            is_empty: bool = False,
            prepares: bool = False,
            **launching: Any,
        ) -> Server:
            prepares = prepares or is_empty or bool(launching)
            prepares = prepares or any(
                name.startswith(PREPARING_SETTINGS) for name in environment or {}
            )
            if not database:
                new_database = fresh_database if is_empty else databases.migrated_database
                if not prepares:
                    new_database = databases.prepared_database
                database = stack.enter_context(new_database(folder))
                if not prepares:
                    prepared.add(database)
            server = launch(
                folder,
                database=database,
                environment=environment,
                is_prepared=database in prepared and not prepares,
                **launching,
            )
            servers.append(server)
            if wait:
                server.wait_until_ready()
            return server

        try:
            yield start
        finally:
            for server in servers:
                server.kill()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """This machine's browser, headless; tests open separate contexts and pages."""
    path = chromium_path()
    if path is None:
        skip_for_missing_tool("Chromium is not installed; `make test` prints how to install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def chromium_path() -> str | None:
    found = (shutil.which(name) for name in (*CHROMIUM_NAMES, CHROMIUM_ON_MAC))
    return next((path for path in found if path), None)
