"""The Scopes page in a browser: mouse, keyboard, no JavaScript, small screens."""

import re
import uuid
from contextlib import suppress

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import CLUSTER, DEPARTMENT, Visit, Visitor, status
from tests.servers import ADMIN_EMAIL, Server

pytestmark = pytest.mark.slow
MANY = "many-projects"
# No test adds rules here, so moving a project from here changes no access.
QUIET = "muted-department"


@pytest.fixture(scope="session", autouse=True)
def _many(server: Server, _organization: None) -> None:
    """A department with more projects than a branch shows, and one without projects."""
    rows = [f"department,{name},{CLUSTER}" for name in (MANY, QUIET)]
    rows += [f"project,{MANY}-{number:03},{CLUSTER} / {MANY}" for number in range(120)]
    text = "\n".join(["type,name,parent", *rows])
    made = server.command("import_scopes", "-", "--format", "csv", stdin=text)
    assert made.returncode == 0, made.stderr


@pytest.fixture
def project() -> str:
    """A name that no other test uses, because the tests share a server."""
    return f"project-{uuid.uuid4().hex[:8]}"


def open_page(visitor: Visitor) -> Page:
    visitor.page.goto(f"{visitor.url}/scopes/")
    return visitor.page


def toggle(page: Page, name: str) -> None:
    page.locator("#listing").get_by_role("button", name=f"{name}: child scopes").click()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("radio", name=name, exact=True))


def make(visitor: Visitor, name: str) -> None:
    """Create a project in the department without access rules."""
    page = visitor.page
    page.get_by_role("radio", name=QUIET, exact=True).check()
    visitor.press("NEW PROJECT")
    page.get_by_label("Name", exact=True).fill(name)
    visitor.press("CREATE")
    expect(page.locator("dialog[open]")).to_have_count(0)


def rename_selected(visitor: Visitor, name: str) -> None:
    visitor.press("RENAME")
    visitor.page.get_by_label("Name", exact=True).fill(name)
    visitor.page.locator("dialog[open]").get_by_role("button", name="RENAME").click()
    expect(visitor.page.locator("dialog[open]")).to_have_count(0)


def test_a_project_is_created_renamed_moved_and_deleted(visit: Visit, project: str) -> None:
    visitor = visit("scopes/")
    make(visitor, project)
    page = visitor.page
    expect(row(page, project)).to_contain_text("New")
    expect(status(page, f"Project {project} created.")).to_be_visible()
    page.get_by_role("radio", name=project, exact=True).check()
    visitor.press("RENAME")
    page.get_by_label("Name", exact=True).fill(f"{project}-2")
    page.locator("dialog[open]").get_by_role("button", name="RENAME").click()
    expect(row(page, f"{project}-2")).to_contain_text("Changed")
    expect(page.get_by_role("radio", name=f"{project}-2", exact=True)).to_be_checked()
    visitor.press("MOVE")
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("searchbox").fill(MANY)
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("radio").check()
    expect(dialog).to_contain_text("No subject loses or gains access.")
    dialog.get_by_role("button", name="MOVE").click()
    expect(dialog).to_have_count(0)
    expect(row(page, f"{project}-2")).to_contain_text("Changed")
    expect(row(page, f"{project}-2")).to_be_in_viewport()
    visitor.press("DELETE")
    dialog.get_by_role("button", name="DELETE").click()
    expect(row(page, f"{project}-2")).to_have_count(0)
    expect(status(page, f"Project {project}-2 deleted.")).to_be_visible()


def test_a_change_during_a_slow_refresh_is_shown(visit: Visit, project: str) -> None:
    """Each change refreshes the list; the second one does not wait for the first to be answered."""
    visitor = visit("scopes/")
    make(visitor, project)
    page = visitor.page
    page.get_by_role("radio", name=project, exact=True).check()
    refresh = re.compile(r"/scopes/\?.*changed=")
    held = visitor.hold(refresh)
    rename_selected(visitor, f"{project}-2")
    while not held:
        page.title()  # lets Playwright handle the request
    answer = held[0].fetch()
    page.unroute(refresh)
    rename_selected(visitor, f"{project}-3")
    with suppress(PlaywrightError):  # the page gave this request up
        held[0].fulfill(response=answer)
    expect(row(page, f"{project}-3")).to_contain_text("Changed")


def test_the_tree_works_with_the_keyboard(visit: Visit, project: str) -> None:
    visitor = visit("scopes/")
    make(visitor, project)
    page = open_page(visitor)
    box = page.get_by_role("radio", name=QUIET, exact=True)
    box.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name=project, exact=True)).to_be_visible()
    expect(box).to_be_focused()
    assert re.search(r"/scopes/\?open=\d+$", page.url)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name=project, exact=True)).to_have_count(0)
    expect(box).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="NEW PROJECT")).to_be_visible()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Rename department {QUIET}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    box.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/access/scopes/*/")
    page.locator(".back-link").get_by_role("link", name="Scopes").click()
    expect(page.get_by_role("radio", name=QUIET, exact=True)).to_be_checked()


def test_opening_a_branch_keeps_focus_and_selection(visit: Visit) -> None:
    page = visit("scopes/").page
    page.get_by_role("radio", name=CLUSTER, exact=True).check()
    toggle(page, MANY)
    expect(page.get_by_role("button", name=f"{MANY}: child scopes")).to_be_focused()
    expect(page.get_by_role("radio", name=CLUSTER, exact=True)).to_be_checked()
    expect(page.get_by_text(re.compile(r"^1.50 of \d+ in many"))).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("radio", name=f"{MANY}-050")).to_be_visible()
    expect(page.get_by_role("radio", name=f"{MANY}-049")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("radio", name=f"{MANY}-050")).to_be_visible()


def test_going_back_clears_the_search(visit: Visit) -> None:
    visitor = visit("scopes/")
    page = visitor.page
    page.keyboard.press("/")
    page.keyboard.type(f"{MANY}-11")
    expect(page.get_by_role("radio")).to_have_count(10)
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("mark").first).to_have_text(f"{MANY}-11")
    page.go_back()
    expect(page.locator("#search")).to_have_value("")
    expect(page.get_by_role("radio", name=CLUSTER, exact=True)).to_be_visible()


def test_the_delete_dialog_links_to_what_blocks_it(visit: Visit) -> None:
    visitor = visit("scopes/")
    page = visitor.page
    page.get_by_role("radio", name=MANY, exact=True).check()
    visitor.press("DELETE")
    expect(page.locator("dialog[open]")).to_contain_text("can't be deleted yet")
    visitor.check_accessibility()
    page.get_by_role("link", name=re.compile(r"^\d+ projects")).click()
    expect(page.get_by_role("radio", name=f"{MANY}-000")).to_be_visible()


def test_the_tree_is_accessible(visit: Visit) -> None:
    visitor = visit("scopes/")
    page = visitor.page
    toggle(page, MANY)
    expect(page.get_by_role("button", name="Next")).to_be_visible()
    page.get_by_role("radio", name=MANY, exact=True).check()
    visitor.check_accessibility()
    for button in ("NEW PROJECT", "MOVE"):
        visitor.press(button)
        expect(page.locator("dialog[open]")).to_be_visible()
        visitor.check_accessibility()
        page.keyboard.press("Escape")
    page.goto(f"{visitor.url}/scopes/?search=nowhere-at-all")
    visitor.check_accessibility()


def test_access_reports_are_accessible_and_filterable(visit: Visit) -> None:
    visitor = visit("scopes/")
    page = visitor.page
    page.get_by_role("link", name=DEPARTMENT, exact=True).click()
    for link in ("ACCESS RULES", "CSV", "JSON"):
        expect(page.locator("main").get_by_role("link", name=link)).to_be_visible()
    page.get_by_label("Action").select_option("delete")
    visitor.press("FILTER")
    expect(page.get_by_role("cell", name="View", exact=True)).to_have_count(0)
    visitor.check_accessibility()
    page.locator("main").get_by_role("link", name=ADMIN_EMAIL).first.click()
    expect(page.get_by_role("link", name="CSV")).to_be_visible()
    visitor.check_accessibility()


def test_the_tree_works_without_javascript(visit: Visit, project: str) -> None:
    visitor = visit("scopes/", java_script_enabled=False)
    page = visitor.page
    page.get_by_role("radio", name=QUIET, exact=True).check()
    visitor.press("NEW PROJECT")
    page.get_by_label("Name", exact=True).fill(project)
    visitor.press("CREATE")
    expect(row(page, project)).to_contain_text("New")
    toggle(page, MANY)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("radio", name=f"{MANY}-050")).to_be_visible()
    page.get_by_label("Search").fill(project)
    visitor.press("SEARCH")
    page.get_by_role("radio", name=project, exact=True).check()
    visitor.press("MOVE")
    page.get_by_role("searchbox").fill(MANY)
    visitor.press("FIND")
    page.get_by_role("radio").check()
    visitor.press("PREVIEW CHANGES")
    expect(page.get_by_text("No subject loses or gains access.")).to_be_visible()
    visitor.press("MOVE")
    expect(status(page, f"moved to department {MANY}")).to_be_visible()
