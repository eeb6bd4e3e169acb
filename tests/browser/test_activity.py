"""The Activity page with mouse and keyboard, without JavaScript, and on a phone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow


def test_event_dialog_works_with_the_keyboard(visit: Visit, name: str) -> None:
    visitor = visit(f"activity/?entity__is={name}", applications=[name])
    page = visitor.page
    visitor.check_accessibility()
    opener = page.locator("[data-row] a[id^=event-]").first
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_role("heading", name=f"Create application {name}")).to_be_visible()
    expect(dialog.get_by_role("table", name="Changes")).to_contain_text(name)
    visitor.check_accessibility()
    assert "/activity/?entity" in page.url
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_time_filter_can_be_added_in_the_dialog(visit: Visit, name: str) -> None:
    visitor = visit(f"activity/?entity__is={name}", applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.keyboard.press("f")
    expect(dialog.get_by_role("link", name="Time")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Time …")).to_have_value("since")
    dialog.get_by_label("Date and time").fill("2001-02-03T04:05:06")
    visitor.check_accessibility()
    visitor.press("APPLY")
    page.wait_for_url("**time__since=2001-02-03T04%3A05%3A06&zone=*")
    chip = page.get_by_role("link", name="Edit filter: Time is since 3 Feb 2001, 04:05:06 UTC")
    chip.click()
    expect(dialog.get_by_label("Date and time")).to_have_value("2001-02-03T04:05:06")
    dialog.get_by_label("Date and time").fill("2101-02-03T04:05")
    visitor.press("APPLY")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()
    visitor.check_accessibility()


def test_application_page_links_to_its_history(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page = visitor.page
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name="View history").click()
    expect(page.get_by_role("heading", name="Activity")).to_be_visible()
    expect(page.locator(".chip").first).to_contain_text(f"History of application {name}")
    expect(page.locator("[data-row]")).to_have_count(1)


def test_view_can_be_downloaded_as_json(visit: Visit, name: str) -> None:
    visitor = visit(f"activity/?entity__is={name}", applications=[name])
    page = visitor.page
    visitor.press("MORE")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as JSON").click()
    [event] = json.loads(Path(download.value.path()).read_text())
    assert event["entity"]["name"] == name
    assert download.value.suggested_filename == "activity.json"


def test_activity_page_works_without_javascript(visit: Visit, name: str) -> None:
    visitor = visit("activity/", applications=[name], java_script_enabled=False)
    page = visitor.page
    page.get_by_role("searchbox").fill(name.upper())
    visitor.press("SEARCH")
    page.locator("[data-row] a[id^=event-]").click()
    expect(page.get_by_role("heading", name=f"Create application {name}")).to_be_visible()
    visitor.press("CLOSE")
    expect(page.locator("[data-row]")).to_have_count(1)
    visitor.press("ADD FILTER")
    page.get_by_role("link", name="Result").click()
    page.get_by_label("Failed").check()
    visitor.press("APPLY")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()
