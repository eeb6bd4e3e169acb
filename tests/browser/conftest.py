"""A signed-in browser that records all errors in it."""

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Route,
    StorageState,
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

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def sign_in(self, server: Server) -> None:
        self.page.goto(f"{self.url}/sign-in/")
        self.page.get_by_label("Email").fill(server.admin_email)
        self.page.get_by_label("Password").fill(server.admin_password)
        self.press("SIGN IN")
        self.page.wait_for_url("**/overview/")
        self.page.goto(f"{self.url}/applications/")

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
        self.page.emulate_media(color_scheme=scheme)
        if not self.page.evaluate("Boolean(window.axe)"):
            self.page.evaluate(axe())
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


@pytest.fixture
def visit(
    chromium: Browser, server: Server, _organization: None, _session: StorageState
) -> Iterator[Visit]:
    """Open separate browser contexts, signed in; fail at the end if any had an error.

    They share one session, which saves a sign-in. A test that ends its session asks for its own.
    """
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def open_(*, own_session: bool = False, **options: Any) -> Visitor:
        state = None if own_session else _session
        context = chromium.new_context(reduced_motion="reduce", storage_state=state, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        visitor = Visitor(context.new_page(), server.url)
        visitor.watch()
        visitors.append(visitor)
        if own_session:
            visitor.sign_in(server)
        else:
            visitor.page.goto(f"{server.url}/applications/")
        return visitor

    yield open_
    for context in contexts:
        context.close()
    assert [error for visitor in visitors for error in visitor.errors] == []


@pytest.fixture
def name() -> str:
    """A name that no other test uses: they share the server."""
    return f"app-{uuid.uuid4().hex[:12]}-x"
