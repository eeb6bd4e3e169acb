"""The Access rules and Roles pages in a browser: mouse, keyboard, no JavaScript, small screens."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, DEPARTMENT, Visit, Visitor

pytestmark = pytest.mark.slow


def _make(visitor: Visitor, *names: str) -> None:
    for name in names:
        visitor.create(name)
        visitor.press("DONE")
        expect(visitor.page.locator("dialog[open]")).to_have_count(0)


def test_rules_are_added_and_deleted_with_the_mouse(visit: Visit, name: str) -> None:
    visitor = visit()
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    _make(visitor, f"{name}1", f"{name}2")
    page.goto(f"{visitor.url}/access-rules/?search={name}")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()
    visitor.check_accessibility()

    # Add one role for two subjects in two scopes
    page.goto(f"{visitor.url}/access-rules/")
    visitor.press("NEW ACCESS RULE")
    field = dialog.get_by_role("searchbox", name="Search subjects")
    expect(field).to_be_focused()
    visitor.check_accessibility()
    field.press_sequentially(name, delay=20)
    expect(dialog.locator(".subject-picker .checks li")).to_have_count(2)
    expect(field).to_be_focused()
    dialog.get_by_role("checkbox", name=f"{name}1").check()
    dialog.get_by_role("checkbox", name=f"{name}2").check()
    dialog.get_by_label("Role", exact=True).select_option(label="Viewer")
    scopes = dialog.get_by_role("searchbox", name="Search scopes")
    scopes.press_sequentially(CLUSTER, delay=20)
    expect(dialog.locator(".tree-found li")).to_have_count(1)
    dialog.get_by_role("checkbox", name=CLUSTER).check()
    scopes.fill(DEPARTMENT)
    expect(dialog.get_by_role("checkbox", name=DEPARTMENT)).to_be_visible()
    dialog.get_by_role("checkbox", name=DEPARTMENT).check()
    expect(dialog.get_by_role("checkbox", name=f"{CLUSTER} Cluster")).to_be_checked()
    visitor.check_accessibility()
    visitor.press("SAVE RULES")
    expect(dialog).to_contain_text("4 of 4 done")
    visitor.check_accessibility()
    visitor.press("CLOSE")

    # Delete one from its row menu, then the others with the toolbar
    page.goto(f"{visitor.url}/access-rules/?search={name}&sort=-scope")
    expect(page.locator("[data-row]")).to_have_count(4)
    visitor.check_accessibility()
    page.locator("[data-row-menu]").first.click()
    page.locator("#row-menu").get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("No effect: another rule grants the same access.")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="DELETE").click()
    expect(page.locator("#messages")).to_contain_text(f"Access rule removed: {name}2 is Viewer in")
    expect(page.locator("[data-row]")).to_have_count(3)
    page.get_by_role("checkbox", name="Select all on this page").check()
    visitor.press("DELETE")
    expect(dialog).to_contain_text("Delete 3 access rules?")
    dialog.get_by_text("Loses:").first.click()
    expect(dialog).to_contain_text("Workspaces: View")
    visitor.check_accessibility()
    visitor.press("DELETE 3")
    expect(dialog).to_contain_text("3 of 3 done")
    visitor.press("CLOSE")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()


def test_a_rule_is_added_with_the_keyboard(visit: Visit, name: str) -> None:
    visitor = visit()
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    _make(visitor, name)
    page.goto(f"{visitor.url}/access-rules/")
    page.keyboard.press("n")
    expect(dialog.get_by_role("searchbox", name="Search subjects")).to_be_focused()
    page.keyboard.type(name, delay=20)
    box = dialog.get_by_role("checkbox", name=name)
    expect(dialog.locator(".subject-picker .checks li")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(dialog.get_by_label("Type", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(box).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(dialog.get_by_label("Role", exact=True)).to_be_focused()
    page.keyboard.type("Viewer")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("searchbox", name="Search scopes")).to_be_focused()
    account = dialog.locator("[data-tree] input[name=scope]").first
    account.focus()
    page.keyboard.press("ArrowLeft")
    expect(dialog.locator("[data-tree] input[name=scope]")).to_have_count(1)
    expect(box).to_be_checked()
    dialog.locator("[data-tree] input[name=scope]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("checkbox", name=DEPARTMENT)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    dialog.get_by_role("button", name="SAVE RULES").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("1 of 1 done")
    expect(dialog).to_contain_text("access rule added: Viewer in cluster")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)


def test_rules_work_without_javascript(visit: Visit, name: str) -> None:
    visitor = visit(java_script_enabled=False)
    page = visitor.page
    _make(visitor, name)
    page.goto(f"{visitor.url}/access-rules/?sort=subject")
    visitor.press("NEW ACCESS RULE")
    page.get_by_label("Search subjects").fill(name)
    page.get_by_role("button", name="FIND").first.click()
    page.get_by_role("checkbox", name=name).check()
    page.get_by_label("Search scopes").fill(CLUSTER)
    page.get_by_role("button", name="FIND").last.click()
    page.get_by_role("checkbox", name=CLUSTER).check()
    page.get_by_label("Search scopes").fill(DEPARTMENT)
    page.get_by_role("button", name="FIND").last.click()
    page.get_by_role("checkbox", name=DEPARTMENT).check()
    visitor.press("SAVE RULES")
    assert "Select a role." in visitor.text()
    page.get_by_label("Role", exact=True).select_option(label="Viewer")
    visitor.press("SAVE RULES")
    assert "2 of 2 done" in visitor.text()
    visitor.press("CLOSE")
    assert page.url == f"{visitor.url}/access-rules/?sort=subject"

    page.goto(f"{visitor.url}/access-rules/?search={name}")
    page.locator("[data-row] input[name=selected]").first.check()
    page.get_by_role("link", name="Select all on this page").click()
    visitor.press("DELETE")
    assert "Delete 2 access rules?" in visitor.text()
    assert f"{name} is Viewer in department {DEPARTMENT}" in visitor.text()
    visitor.press("DELETE 2")
    assert "2 of 2 done" in visitor.text()

    page.goto(f"{visitor.url}/roles/?sort=role")
    page.get_by_role("checkbox", name="Viewer", exact=True).check()
    page.get_by_role("checkbox", name="Editor", exact=True).check()
    visitor.press("COMPARE")
    assert "Only Editor: edit, create, delete" in visitor.text()
    page.get_by_label("Only differences").check()
    visitor.press("COMPARE")
    assert "Same" not in visitor.text()


def test_roles_are_opened_and_compared(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.url}/roles/")
    visitor.check_accessibility()
    page.get_by_role("checkbox", name="Viewer", exact=True).check()
    page.get_by_role("checkbox", name="Editor", exact=True).check()
    visitor.press("COMPARE")
    page.wait_for_url("**/roles/compare/?role=*")
    expect(page.get_by_role("columnheader", name="Editor")).to_be_visible()
    visitor.check_accessibility()
    page.get_by_role("link", name="Viewer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Viewer")
    expect(page.get_by_role("columnheader", name="Delete")).to_be_visible()
    cells = page.get_by_role("row", name="Workspaces").get_by_role("cell")
    expect(cells).to_contain_text(["Yes", "No", "No", "No"])
    visitor.check_accessibility()
