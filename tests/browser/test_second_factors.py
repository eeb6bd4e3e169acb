"""A required passkey, from its creation to the sign-in with it, on Chromium's virtual authenticator."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Visitor
from tests.browser.test_layout import FAULTS, WINDOWS
from tests.conftest import StartServer
from tests.servers import Server, free_port

pytestmark = [pytest.mark.slow, pytest.mark.any_database]
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
    "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


NAME = f"Work laptop {'x' * 60}"


@pytest.fixture(scope="module")
def console(server_factory: StartServer) -> Server:
    """A server that requires second factors, at a URL that has passkeys."""
    port = free_port()
    return server_factory(
        environment={
            "PORT": str(port),
            "RUNAI_ACCESS_URL": f"http://localhost:{port}",
            "RUNAI_ACCESS_REQUIRE_MFA": "everyone",
        }
    )


@pytest.fixture
def visitor(chromium: Browser, console: Server) -> Iterator[Visitor]:
    """A browser on a device with passkeys; fails at the end if it had an error."""
    with chromium.new_context(reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        visitor = Visitor(page, console.environment["RUNAI_ACCESS_URL"])
        visitor.watch()
        yield visitor
        assert visitor.errors == []


def _check(visitor: Visitor, state: str) -> None:
    """Check the page in each window, and with axe in the smallest one."""
    page = visitor.page
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(FAULTS) == [], f"{state} at {width} x {height}"
    page.set_viewport_size({"width": WINDOWS[0][0], "height": WINDOWS[0][1]})
    visitor.check_accessibility()
    page.set_viewport_size({"width": 1440, "height": 900})


def _enter_password(visitor: Visitor, server: Server) -> None:
    visitor.page.goto(f"{visitor.url}/sign-in/?next=/account/")
    visitor.page.get_by_label("Email").fill(server.admin_email)
    visitor.page.get_by_label("Password").fill(server.admin_password)
    visitor.page.get_by_role("button", name="SIGN IN", exact=True).click()


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/sign-in/")


def test_required_passkey_is_created_and_signs_in(
    visitor: Visitor, console: Server, chromium: Browser
) -> None:
    page = visitor.page
    _enter_password(visitor, console)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    _check(visitor, "the enrollment")
    visitor.press("AUTHENTICATOR APP")
    expect(page.get_by_role("img", name="QR code with the key below")).to_be_visible()
    _check(visitor, "an authenticator app")
    page.go_back()
    visitor.press("PASSKEY")
    _check(visitor, "a new passkey")
    page.get_by_label("Name").fill(NAME)
    page.route("**/options/", lambda route: route.fulfill(status=404, body="<html>"), times=1)
    page.get_by_role("button", name="CREATE PASSKEY").click()
    expect(page.get_by_text("This page has expired. Reload it.")).to_be_visible()
    page.get_by_role("button", name="CREATE PASSKEY").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    _check(visitor, "recovery codes")
    with page.expect_download() as download:
        page.get_by_role("button", name="DOWNLOAD").click()
    codes = download.value.path().read_text(encoding="utf-8")
    assert re.fullmatch(r"(\d{4} \d{4}\n){10}", codes)
    visitor.press("DONE")
    page.wait_for_url("**/account/")
    expect(page.get_by_role("region", name="Second factors")).to_contain_text(NAME)
    _check(visitor, "the account")
    for button in (f"Rename {NAME}", f"Remove {NAME}", "Create new recovery codes"):
        page.get_by_role("link", name=button).click()
        expect(page.locator("dialog[open] h1")).to_be_visible()
        visitor.check_accessibility()
        page.keyboard.press("Escape")
    # Without a password.
    _sign_out(page)
    visitor.check_accessibility()
    page.goto(f"{visitor.url}/sign-in/?next=/account/")
    page.get_by_role("button", name="SIGN IN WITH A PASSKEY").click()
    page.wait_for_url("**/account/")
    # After the password.
    _sign_out(page)
    _enter_password(visitor, console)
    expect(page.get_by_role("heading", name="Confirm that it's you")).to_be_visible()
    _check(visitor, "the second step")
    page.get_by_role("button", name="USE A PASSKEY").click()
    page.wait_for_url("**/account/")
    page.goto(f"{visitor.url}/account/confirm/?next=/account/")
    page.get_by_role("button", name="USE A PASSKEY").click()
    page.wait_for_url("**/account/")
    # Without JavaScript, only codes are offered.
    with chromium.new_context(java_script_enabled=False) as context:
        plain = Visitor(context.new_page(), visitor.url)
        plain.page.goto(f"{visitor.url}/sign-in/")
        expect(plain.page.get_by_role("button", name="SIGN IN WITH A PASSKEY")).to_be_hidden()
        _enter_password(plain, console)
        expect(plain.page.get_by_role("button", name="USE A PASSKEY")).to_be_hidden()
        plain.page.get_by_label("Recovery code").fill(codes.splitlines()[0])
        plain.press("CONTINUE")
        plain.page.wait_for_url("**/account/")
