"""Finding a leaked secret, containing its application, and recovering, in a browser."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, Visit, status
from tests.servers import Server

pytestmark = pytest.mark.slow


def test_leaked_secret_is_found_contained_and_replaced(
    visit: Visit, server: Server, name: str
) -> None:
    made = server.command(
        "create_application", name, "--role", "Viewer", "--scope", f"cluster:{CLUSTER}", "--json"
    )
    secret = json.loads(made.stdout)["clientSecret"]
    visitor = visit(viewport={"width": 390, "height": 844})
    page, dialog = visitor.page, visitor.page.get_by_role("dialog")
    page.get_by_role("button", name="MORE").click()
    page.get_by_role("link", name="Find a secret").click()
    page.get_by_label("Text").fill(f"a chat with the secret {secret}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    visitor.check_accessibility()
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert secret[20:] not in stored + page.content()
    page.get_by_role("link", name=f"CONTAIN {name}").click()
    expect(dialog).to_contain_text("It keeps its access rules.")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="CONTAIN").click()
    page.wait_for_url("**/report/")
    expect(status(page, f"Application {name} contained.")).to_be_visible()
    visitor.check_accessibility()
    page.get_by_role("link", name=name, exact=True).click()
    visitor.press("ENABLE")
    dialog.get_by_role("button", name="ENABLE").click()
    expect(dialog.get_by_role("alert")).to_contain_text("would work again")
    visitor.check_accessibility()
    dialog.get_by_role("link", name="REPLACE SECRET AND ENABLE").click()
    dialog.get_by_role("button", name="REPLACE AND ENABLE").click()
    expect(dialog.locator("#issued-secret")).to_be_visible()
    visitor.press("DONE")
    expect(page.get_by_text("Enabled", exact=True)).to_be_visible()
