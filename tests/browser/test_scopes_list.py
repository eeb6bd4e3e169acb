"""The list of scopes in a browser: mouse, keyboard, no JavaScript, small screens."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, DEPARTMENT, Visit

pytestmark = pytest.mark.slow


def test_filtering_and_sorting_switch_from_the_tree_to_the_list(visit: Visit) -> None:
    visitor = visit("scopes/")
    page = visitor.page
    page.keyboard.press("f")
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("link", name="Parent").click()
    dialog.get_by_label("Find a scope").fill(CLUSTER)
    other = re.compile(f"^{DEPARTMENT}")
    expect(dialog.get_by_role("checkbox", name=other)).to_have_count(0)
    dialog.get_by_role("checkbox", name=re.compile(f"^{CLUSTER}")).check()
    visitor.check_accessibility()
    visitor.press("APPLY")
    expect(page.locator(".tabs [aria-current]")).to_have_text("List")
    expect(page.get_by_role("checkbox", name=DEPARTMENT, exact=True)).to_be_visible()
    expect(page.get_by_role("checkbox", name=CLUSTER, exact=True)).to_have_count(0)
    visitor.check_accessibility()
    page.locator("#sort-rules").click()
    expect(page.locator("th.column-rules")).to_have_attribute("aria-sort", "ascending")
    page.go_back()
    expect(page.locator("th.column-rules[aria-sort]")).to_have_count(0)
    page.go_back()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Tree")
    page.locator("#sort-rules").click()
    expect(page.locator(".tabs [aria-current]")).to_have_text("List")


def test_columns_chosen_in_the_tree_are_shown_there(visit: Visit) -> None:
    visitor = visit("scopes/")
    page = visitor.page
    visitor.press("COLUMNS")
    page.get_by_role("checkbox", name="ID", exact=True).check()
    visitor.press("APPLY")
    expect(page.get_by_role("columnheader", name="ID")).to_be_visible()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Tree")
    visitor.check_accessibility()
    visitor.press("COLUMNS")
    visitor.press("RESET")
    expect(page.get_by_role("columnheader", name="ID")).to_have_count(0)


def test_a_row_offers_only_allowed_actions(visit: Visit) -> None:
    page = visit("scopes/list/").page
    page.get_by_role("checkbox", name=CLUSTER, exact=True).check()
    expect(page.get_by_role("button", name="RENAME")).to_be_visible()
    expect(page.get_by_role("button", name="MOVE")).to_be_hidden()
    page.get_by_role("checkbox", name=CLUSTER, exact=True).uncheck()
    box = page.get_by_role("checkbox", name=DEPARTMENT, exact=True)
    box.focus()
    page.keyboard.press("m")
    menu = page.locator("#row-menu")
    expect(menu.get_by_role("link", name="History")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("button", name="Move")).to_be_focused()
    menu.get_by_role("link", name="History").click()
    expect(page.locator(".chip")).to_contain_text(f"History of department {DEPARTMENT}")


def test_the_list_works_without_javascript(visit: Visit) -> None:
    visitor = visit("scopes/", java_script_enabled=False)
    page = visitor.page
    visitor.press("ADD FILTER")
    page.get_by_role("link", name="Type").click()
    page.get_by_role("checkbox", name="Department").check()
    visitor.press("APPLY")
    expect(page.get_by_role("checkbox", name=CLUSTER, exact=True)).to_have_count(0)
    page.get_by_role("checkbox", name=DEPARTMENT, exact=True).check()
    visitor.press("RENAME")
    visitor.press("CANCEL")
    expect(page.get_by_role("checkbox", name=DEPARTMENT, exact=True)).to_be_checked()
