"""Owner, description, labels and allowed addresses in a real browser, on a desktop and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [1280, 390])
def test_details_and_allowed_addresses_are_edited(visit: Visit, name: str, width: int) -> None:
    window = {"width": width, "height": 800}
    visitor = visit(f"applications/?search={name}", applications=[name], viewport=window)
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.get_by_role("link", name=name, exact=True).first.click()

    visitor.press("EDIT DETAILS")
    expect(page.get_by_label("Owner")).to_be_focused()
    page.get_by_label("Owner").fill("nobody")
    page.get_by_label("Labels").fill("env=prod")
    visitor.press("SAVE")
    expect(dialog.locator("#owner-error")).to_contain_text("no user or group")
    visitor.check_accessibility()
    page.get_by_label("Owner").fill("")
    page.get_by_label("Description").fill("Trains the models")
    visitor.press("SAVE")
    expect(page.get_by_role("link", name="env=prod")).to_be_visible()

    page.get_by_role("link", name="Edit allowed addresses").click()
    page.get_by_label("Addresses and networks").fill("10.0.0.1/8")
    visitor.press("SAVE")
    expect(dialog.locator("#addresses-error")).to_contain_text("10.0.0.0/8")
    visitor.check_accessibility()
    page.get_by_label("Addresses and networks").fill("10.0.0.0/8")
    visitor.press("SAVE")
    expect(page.get_by_text("10.0.0.0/8").first).to_be_visible()
    visitor.check_accessibility()
