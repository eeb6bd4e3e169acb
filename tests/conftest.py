"""What every test may ask for: a real server, more of them, and a browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations
from playwright.sync_api import Browser, sync_playwright

from applications.oauth.keyring import KEYRING
from tests.servers import Server, fresh_database, launch

StartServer = Callable[..., Server]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ON_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(autouse=True, scope="session")
def _record_may_be_emptied() -> Iterator[None]:
    """Let a test on a real database end with an empty one: its guards make way for Django's flush.

    In one transaction, so no test ever runs without them.
    """
    from runai_access.audit import guards

    def emptied(operations: Any, statements: list[str]) -> None:
        way = guards.removing(operations.connection), guards.installing(operations.connection)
        flush(operations, [*way[0], *statements, *way[1]])

    flush = BaseDatabaseOperations.execute_sql_flush
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", emptied)
        yield


@pytest.fixture(autouse=True)
def _no_refusal_counted_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No refusal goes without a row of its own because earlier tests had so many."""
    from runai_access.audit import recorder

    monkeypatch.setattr(recorder, "_refusals", recorder._Refusals())


def skip_for_missing_tool(reason: str) -> NoReturn:
    """Skip on a person's machine; fail in CI, where every tool is to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"In CI nothing may be missing: {reason}")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _keys_of_this_test() -> None:
    """Forget the signing keys of the test before: its database has gone back, and them with it."""
    KEYRING.forget()


@pytest.fixture(scope="session")
def server_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Start servers that live until the tests end; see `start_server`."""
    with _factory(tmp_path_factory.mktemp("servers")) as start:
        yield start


@pytest.fixture(scope="session")
def server(server_factory: StartServer) -> Server:
    """The server that tests share: a real one, with an administrator and no example organization.

    What a test makes in it stays for the others; choose names of your own and never count all.
    """
    return server_factory()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers that end with the test.

    `start_server()` waits until it is ready, on an empty database of its own. `database=` takes
    another server's, so that the two are replicas; `environment=` adds settings; `wait=False`
    returns at once.
    """
    with _factory(tmp_path) as start:
        yield start


@contextmanager
def _factory(folder: Path) -> Iterator[StartServer]:
    servers: list[Server] = []
    with ExitStack() as databases:

        def start(
            *,
            database: str = "",
            environment: dict[str, str] | None = None,
            wait: bool = True,
        ) -> Server:
            database = database or databases.enter_context(fresh_database(folder))
            server = launch(folder, database=database, environment=environment)
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
    """The browser of this machine, headless; tests open contexts and pages of their own in it."""
    path = _chromium_path()
    if path is None:
        skip_for_missing_tool("no Chromium on this machine; `make test` tells how to get it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def _chromium_path() -> str | None:
    found = (shutil.which(name) for name in (*CHROMIUM_NAMES, CHROMIUM_ON_MAC))
    return next((path for path in found if path), None)
