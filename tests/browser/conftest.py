"""A signed-in browser that records all errors in it."""

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from django.utils.functional import cached_property
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Locator,
    Page,
    Route,
    StorageState,
    ViewportSize,
    expect,
)

from tests.conftest import skip_for_missing_tool
from tests.servers import ROOT, Server

# Expected console errors: Chromium reports the status of a refused form, HTMX reports requests that a
# later one replaces.
EXPECTED = re.compile(
    r"Failed to load resource: .* status of (404|409|422)|htmx:(afterRequest|sendAbort), "
)
Scheme = Literal["light", "dark"]
AXE = ROOT / ".venv" / "axe.min.js"
# No rule that runs needs style sheets.
_ALWAYS: dict[str, Any] = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
# The dark theme differs only in its colors. WCAG 2.2 requires the size of targets, but axe checks it
# only if asked.
AXE_OPTIONS: dict[Scheme, dict[str, Any]] = {
    "light": {**_ALWAYS, "rules": {"target-size": {"enabled": True}}},
    "dark": {**_ALWAYS, "runOnly": ["color-contrast"]},
}
# Returns only the violations: the whole result is large.
_RUN_AXE = """async (options) => {
    const { violations } = await axe.run(options);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}"""
CLUSTER, DEPARTMENT = "browser-cluster", "browser-department"
# In milliseconds. Other tests keep the machine busy, and only a failing test waits this long.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

Visit = Callable[..., "Visitor"]


def status(place: Page | Locator, text: str) -> Locator:
    """Return the message with that text on a page or in a dialog."""
    return place.get_by_role("status").filter(has_text=text)


def axe() -> str:
    """Return the script of axe."""
    if not AXE.exists():
        skip_for_missing_tool("axe-core is not installed. Run .ci/axe, which requires npm.")
    return AXE.read_text(encoding="utf-8")


@dataclass
class Visitor:
    """A page of the signed-in administrator, and the errors in it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    _scheme: Scheme | None = None

    @cached_property
    def _devtools(self) -> CDPSession:
        """The cheapest way to send a large script. It stays open: to detach it removes passkeys."""
        return self.page.context.new_cdp_session(self.page)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def sign_in(self, server: Server) -> None:
        self.page.goto(f"{self.url}/sign-in/")
        self.page.get_by_label("Email").fill(server.admin_email)
        self.page.get_by_label("Password").fill(server.admin_password)
        self.press("SIGN IN")
        self.page.wait_for_url("**/overview/")

    def press(self, label: str) -> None:
        """Click the only visible button or link with this label, and wait for a new page to load.

        Playwright waits only for the response to begin, so a test could read half a page.
        """
        button = self.page.get_by_role("button", name=label, exact=True)
        link = self.page.get_by_role("link", name=label, exact=True)
        button.or_(link).filter(visible=True).click()
        self.page.wait_for_load_state()

    def select(self, name: str) -> None:
        """Select the application of that name in the table."""
        self.page.get_by_role("checkbox", name=name, exact=True).check()

    def create(self, name: str) -> str:
        """Create an application and return its secret; the dialog stays open."""
        self.press("NEW APPLICATION")
        self.page.get_by_label("Application name").fill(name)
        self.press("CREATE")
        return self.page.locator("#issued-secret").inner_text()

    def create_without_browser(self, name: str, csrf_cookie: str) -> None:
        """Create an application with the API, which requires less CPU time than the dialog."""
        cookies = self.page.context.cookies(self.url)
        (token,) = (cookie["value"] for cookie in cookies if cookie["name"] == csrf_cookie)
        answer = self.page.request.post(
            f"{self.url}/api/v1/apps", data={"name": name}, headers={"X-CSRFToken": token}
        )
        assert answer.ok, answer.text()

    def text(self) -> str:
        self.page.wait_for_load_state()
        return self.page.locator("body").inner_text()

    def wait_until(self, condition: str) -> None:
        """Wait until a JavaScript condition is true.

        Playwright's `wait_for_function` uses `eval`, which our content security policy forbids.
        """
        self.page.evaluate(
            """(condition) => new Promise((resolve, reject) => {
                const timer = setTimeout(() => reject(new Error(`never: ${condition}`)), 30_000);
                const check = () => {
                    if (!holds()) return requestAnimationFrame(check);
                    clearTimeout(timer);
                    resolve();
                };
                const holds = () => CONDITION;
                check();
            })""".replace("CONDITION", condition),
            condition,
        )

    def hold(self, pattern: str | re.Pattern[str]) -> list[Route]:
        """Hold matching requests until the test calls `continue_()`; return the list of held ones."""
        held: list[Route] = []

        def wait(route: Route) -> None:
            held.append(route)

        self.page.route(pattern, wait)
        return held

    def check_accessibility(self, schemes: Sequence[Scheme] = ("light", "dark")) -> None:
        """Fail if axe finds a violation."""
        assert [fault for scheme in schemes for fault in self.accessibility_faults(scheme)] == []

    def accessibility_faults(self, scheme: Scheme) -> list[str]:
        """Return the violations that axe finds."""
        if scheme != self._scheme:
            self.page.emulate_media(color_scheme=scheme)
            self._scheme = scheme
        if not self.page.evaluate("Boolean(window.axe)"):
            self._devtools.send("Runtime.evaluate", {"expression": f"{axe()};0"})
        return [f"{scheme}: {fault}" for fault in self.page.evaluate(_RUN_AXE, AXE_OPTIONS[scheme])]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.match(message.text):
            self.errors.append(message.text)


@pytest.fixture(scope="session")
def _organization(server: Server) -> None:
    """A cluster with a department for the scope pickers, and an application.

    An empty list has neither headers nor filters, so which test is first would make a difference.
    """
    result = server.command(
        "shell",
        "-c",
        "from tests import factories;"
        f"factories.department({DEPARTMENT!r}, factories.cluster({CLUSTER!r}));"
        "factories.application('browser-application')",
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="session")
def _session(chromium: Browser, server: Server) -> StorageState:
    """The cookies of a session of the administrator."""
    with chromium.new_context() as context:
        Visitor(context.new_page(), server.url).sign_in(server)
        return context.storage_state()


class SharedContext:
    """A browser context that tests use one after the other: its process and its caches stay warm."""

    def __init__(self, chromium: Browser, url: str, session: StorageState) -> None:
        self.url, self._session = url, session
        self.context = chromium.new_context(reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE)
        # While it is open, so is the process.
        self._first_page = self.context.new_page()
        self._first_page.goto(f"{url}/healthz")
        self._storage = self.context.new_cdp_session(self._first_page)
        self.reset()

    def reset(self) -> None:
        """Remove everything that a test left in it, and sign in again."""
        for page in self.context.pages:
            if page != self._first_page:
                page.close()
        self.context.set_offline(False)
        self.context.unroute_all()
        self.context.clear_permissions()
        of_all_types = {"origin": self.url, "storageTypes": "all"}
        self._storage.send("Storage.clearDataForOrigin", of_all_types)
        self.context.clear_cookies()
        cookies: Any = self._session["cookies"]  # Playwright has two types for them.
        self.context.add_cookies(cookies)


@pytest.fixture(scope="session")
def _shared_context(chromium: Browser, server: Server, _session: StorageState) -> SharedContext:
    return SharedContext(chromium, server.url, _session)


@pytest.fixture
def shared_context(_shared_context: SharedContext) -> Iterator[SharedContext]:
    """The shared context, without anything of an earlier test."""
    yield _shared_context
    _shared_context.reset()


@pytest.fixture
def visit(
    chromium: Browser,
    server: Server,
    _organization: None,
    _session: StorageState,
    shared_context: SharedContext,
) -> Iterator[Visit]:
    """Open pages in separate browser contexts, signed in; fail at the end if any had an error.

    `visit(path)` opens that page, and first creates `applications` with the API. The first visit of
    a test is in the shared context, unless it has options for a context. A test that installs a
    clock asks for its own context: no reset removes a clock. All visits share one session, which
    saves a sign-in. A test that ends its session asks for its own.
    """
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def open_(
        path: str = "applications/",
        *,
        applications: Sequence[str] = (),
        own_session: bool = False,
        own_context: bool = False,
        viewport: ViewportSize | None = None,
        **options: Any,
    ) -> Visitor:
        if visitors or own_session or own_context or options:
            state = None if own_session else _session
            context = chromium.new_context(reduced_motion="reduce", storage_state=state, **options)
            context.set_default_timeout(PATIENCE)
            contexts.append(context)
        else:
            context = shared_context.context
        visitor = Visitor(context.new_page(), server.url)
        visitor.watch()
        visitors.append(visitor)
        if viewport:
            visitor.page.set_viewport_size(viewport)
        if own_session:
            visitor.sign_in(server)
        for name in applications:
            visitor.create_without_browser(name, server.cookie("csrf"))
        visitor.page.goto(f"{server.url}/{path}")
        return visitor

    yield open_
    for context in contexts:
        context.close()
    assert [error for visitor in visitors for error in visitor.errors] == []


@pytest.fixture
def name() -> str:
    """A name that no other test uses: they share the server."""
    return f"app-{uuid.uuid4().hex[:12]}-x"
