"""Sign-in with a certified OpenID Connect provider in a real browser."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Visitor
from tests.conftest import StartServer, skip_for_missing_tool
from tests.servers import ROOT, Server, free_port

pytestmark = [pytest.mark.slow, pytest.mark.any_database]
MODULES = ROOT / ".venv" / "oidc"
NAME = "Acme ID"
SETUP = """
from tests import factories
from runai_access.accounts.models import GroupMapping
group = factories.group("engineers")
factories.rule(group, "Viewer", factories.account())
GroupMapping.objects.create(value="eng", group_id=group.pk)
factories.person("otto@acme.example")
"""


class Identities:
    """The users of the provider."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._users: dict[str, dict[str, object]] = {}

    def put(self, login: str, **claims: object) -> None:
        """Create or change a user; their email is verified unless a claim says otherwise."""
        self._users[login] = {"email": f"{login}@acme.example", "email_verified": True, **claims}
        body = json.dumps(self._users).encode()
        request = urllib.request.Request(f"{self.issuer}/users", body, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture(scope="module")
def _ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def identities(_ports: tuple[int, int]) -> Iterator[Identities]:
    own_node = MODULES / "node" / "bin" / "node"
    node = str(own_node) if own_node.exists() else shutil.which("node")
    if node is None or not (MODULES / "node_modules").exists():
        skip_for_missing_tool("oidc-provider is not installed; `.ci/oidc-provider` installs it")
    port, console = _ports
    callback = f"http://127.0.0.1:{console}/sign-in/provider/callback/"
    process = subprocess.Popen(
        [node, "tests/oidc/provider.mjs", str(port), callback, str(MODULES)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield Identities(f"http://127.0.0.1:{port}")
    process.kill()
    process.wait(10)


@pytest.fixture(scope="module")
def console(_ports: tuple[int, int], identities: Identities, server_factory: StartServer) -> Server:
    server = server_factory(
        environment={
            "PORT": str(_ports[1]),
            "RUNAI_ACCESS_OIDC_ISSUER": identities.issuer,
            "RUNAI_ACCESS_OIDC_CLIENT_ID": "console",
            "RUNAI_ACCESS_OIDC_CLIENT_SECRET": "a-secret-of-the-console",
            "RUNAI_ACCESS_OIDC_NAME": NAME,
            "RUNAI_ACCESS_OIDC_SCOPES": "openid email profile groups",
            "RUNAI_ACCESS_OIDC_CREATE_USERS": "1",
        }
    )
    result = server.command("shell", "-c", SETUP)
    assert result.returncode == 0, result.stderr
    return server


@pytest.fixture
def page(chromium: Browser, console: Server) -> Iterator[Page]:
    """A new browser on the sign-in page; fails at the end if it had an error."""
    with chromium.new_context(reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE)
        visitor = Visitor(context.new_page(), console.url)
        visitor.watch()
        visitor.page.goto(f"{console.url}/sign-in/")
        yield visitor.page
        # The provider's pages load fonts from the internet, and refusals have an error status.
        expected = re.compile(r"Failed to load resource: (net::|.* status of (400|403))")
        assert [error for error in visitor.errors if not expected.match(error)] == []


def _authenticate(page: Page, login: str) -> None:
    """Sign in and consent on the provider's pages, if it asks."""
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def _sign_in(page: Page, login: str) -> None:
    page.get_by_role("button", name="SIGN IN WITH ACME ID").click()
    _authenticate(page, login)


def test_sign_in_creates_the_user_and_groups_follow_the_claim(
    page: Page, console: Server, identities: Identities
) -> None:
    Visitor(page, console.url).check_accessibility()
    identities.put("nora", name="Nora", groups=["eng"])
    page.goto(f"{console.url}/sign-in/?next=/account/")
    _sign_in(page, "nora")
    page.wait_for_url("**/account/")
    expect(page.get_by_role("heading", name="Your access")).to_contain_text("1")
    expect(page.locator("dl.facts").first).to_contain_text("engineers")
    Visitor(page, console.url).check_accessibility()
    # Signing out ends the session at the provider too.
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url("**/sign-in/**")
    identities.put("nora", name="Nora", groups=[])
    page.goto(f"{console.url}/sign-in/?next=/account/")
    _sign_in(page, "nora")
    page.wait_for_url("**/account/")
    expect(page.locator("dl.facts").first).not_to_contain_text("engineers")
    # The email identifies the user here, and its change at the provider changes nothing.
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Yes, sign me out").click()
    identities.put("nora", email="nora.new@acme.example")
    page.goto(f"{console.url}/sign-in/?next=/account/")
    _sign_in(page, "nora")
    page.wait_for_url("**/account/")
    expect(page.locator("dl.facts").first).to_contain_text("nora@acme.example")


def test_unverified_email_is_refused(page: Page, console: Server, identities: Identities) -> None:
    identities.put("otto", email_verified=False)
    _sign_in(page, "otto")
    expect(page.get_by_role("alert")).to_contain_text("did not confirm your email address")
    Visitor(page, console.url).check_accessibility()


def test_replayed_callback_is_refused(page: Page, console: Server, identities: Identities) -> None:
    identities.put("rita")
    callbacks: list[str] = []
    page.on("request", lambda request: callbacks.append(request.url))
    _sign_in(page, "rita")
    page.wait_for_url(lambda url: url.startswith(console.url) and "sign-in" not in url)
    (callback,) = [url for url in callbacks if "/callback/" in url]
    page.context.clear_cookies()
    page.goto(callback)
    expect(page.get_by_role("alert")).to_contain_text("has expired, or was already used")
