"""A signed-in browser that notices everything that goes wrong in it."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

from tests.servers import Server

# A refused form is an answer like any other; Chromium reports its status as an error all the same.
# HTMX reports as errors the requests that a later one replaces.
REFUSED = re.compile(
    r"Failed to load resource: .* status of (404|409|422)|htmx:(afterRequest|sendAbort), "
)
CLUSTER, DEPARTMENT = "browser-cluster", "browser-department"

Visit = Callable[..., "Visitor"]


@dataclass
class Visitor:
    """A page in which the administrator is signed in, and what went wrong in it."""

    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def sign_in(self, server: Server) -> None:
        self.page.goto(f"{self.url}/sign-in/")
        self.page.get_by_label("Email").fill(server.admin_email)
        self.page.get_by_label("Password").fill(server.admin_password)
        self.press("SIGN IN")
        self.page.wait_for_url("**/applications/")

    def press(self, label: str) -> None:
        """Click the one visible button or link of that label; where it leads to a page, to all of it.

        Playwright waits for a page to begin. Whoever reads it at once might find half of it.
        """
        button = self.page.get_by_role("button", name=label, exact=True)
        link = self.page.get_by_role("link", name=label, exact=True)
        button.or_(link).filter(visible=True).click()
        self.page.wait_for_load_state()

    def select(self, name: str) -> None:
        """Select the application of that name in the table."""
        self.page.get_by_role("checkbox", name=name, exact=True).check()

    def create(self, name: str) -> str:
        """Create an application and return its secret, still shown."""
        self.press("NEW APPLICATION")
        self.page.get_by_label("Application name").fill(name)
        self.press("CREATE")
        return self.page.locator("#issued-secret").inner_text()

    def text(self) -> str:
        self.page.wait_for_load_state()
        return self.page.locator("body").inner_text()

    def wait_until(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds.

        Playwright's own wait looks again by `eval`, which the policy of our pages refuses.
        """
        self.page.evaluate(
            """(condition) => new Promise((resolve, reject) => {
                const timer = setTimeout(() => reject(new Error(`never: ${condition}`)), 10_000);
                const look = () => {
                    if (!holds()) return requestAnimationFrame(look);
                    clearTimeout(timer);
                    resolve();
                };
                const holds = () => CONDITION;
                look();
            })""".replace("CONDITION", condition),
            condition,
        )

    def hold(self, pattern: str | re.Pattern[str]) -> list[Route]:
        """Let requests wait until the test says `continue_()`; return them as they come."""
        held: list[Route] = []

        def wait(route: Route) -> None:
            held.append(route)

        self.page.route(pattern, wait)
        return held

    def check_accessibility(self) -> None:
        """Fail on what axe finds, in the light and in the dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = Axe().run(self.page).response["violations"]
            assert not found, [
                (scheme, rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found
            ]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not REFUSED.match(message.text):
            self.wrong.append(message.text)


@pytest.fixture(scope="session")
def _scopes(server: Server) -> None:
    """A cluster with a department, so that there is a tree to choose from."""
    made = server.command(
        "shell",
        "-c",
        "from tests import factories;"
        f"factories.department({DEPARTMENT!r}, factories.cluster({CLUSTER!r}))",
    )
    assert made.returncode == 0, made.stderr


@pytest.fixture
def visit(chromium: Browser, server: Server, _scopes: None) -> Iterator[Visit]:
    """Open a browser of its own, sign in, and in the end fail if anything went wrong in it."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def open_(**options: object) -> Visitor:
        context = chromium.new_context(reduced_motion="reduce", **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        visitor = Visitor(context.new_page(), server.url)
        visitor.watch()
        visitors.append(visitor)
        visitor.sign_in(server)
        return visitor

    yield open_
    for context in contexts:
        context.close()
    assert [wrong for visitor in visitors for wrong in visitor.wrong] == []


@pytest.fixture
def name() -> str:
    """A name that no other test uses: they share the server."""
    return f"app-{uuid.uuid4().hex[:12]}-x"
