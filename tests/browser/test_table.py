"""The table with mouse and keyboard, and without JavaScript: search, filters, columns, bulk actions."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, DEPARTMENT, Visit, Visitor, status
from tests.servers import Server

pytestmark = pytest.mark.slow


def _rows(visitor: Visitor) -> list[str]:
    visitor.page.wait_for_load_state()
    return visitor.page.locator("[data-row] .row-name").all_inner_texts()


def test_search_runs_while_typing_and_back_undoes_it(visit: Visit, name: str) -> None:
    visitor = visit("applications/?sort=application", applications=[f"{name}1", f"{name}2"])
    page = visitor.page
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search")
    expect(field).to_be_focused()
    page.keyboard.type(name.upper(), delay=20)
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator("mark").first).to_have_text(name)
    expect(field).to_be_focused()
    expect(field).to_have_value(name.upper())
    page.keyboard.type("2")
    expect(page.locator("[data-row]")).to_have_count(1)
    visitor.check_accessibility()
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    page.keyboard.type(f"{name}-nothing")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()
    expect(field).to_be_focused()
    visitor.check_accessibility()
    visitor.press("CLEAR ALL")
    page.wait_for_url("**/applications/?sort=application")
    page.go_back()
    page.wait_for_url("**search=*")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()


def test_focus_is_kept_when_a_filter_is_added_edited_and_removed(visit: Visit, name: str) -> None:
    visitor = visit(applications=[f"{name}1", f"{name}2"])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.keyboard.press("f")
    expect(dialog.get_by_role("link", name="Application")).to_be_focused()
    visitor.check_accessibility()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link", name="Client ID")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Value")).to_be_focused()
    visitor.check_accessibility()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**client_id__contains={name}")
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-row]")).to_have_count(2)
    chip = page.get_by_role("link", name=f"Edit filter: Client ID contains {name}")
    expect(chip).to_be_visible()
    visitor.check_accessibility()
    chip.click()
    dialog.get_by_label("Client ID …").select_option("is")
    expect(dialog.get_by_label("Value")).to_have_value(name)
    dialog.get_by_label("Value").fill(f"{name}2")
    visitor.press("APPLY")
    expect(page.locator("[data-row]")).to_have_count(1)
    assert f"client_id__is={name}2" in page.url
    assert "contains" not in page.url
    page.get_by_role("link", name="Remove filter").click()
    expect(page.get_by_role("link", name="ADD FILTER")).to_be_focused()
    assert "client_id" not in page.url


def test_value_field_depends_on_the_operator(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    dialog = visitor.page.locator("dialog[open]")
    visitor.press("ADD FILTER")
    dialog.get_by_role("link", name="Last login").click()
    expect(dialog.get_by_label("Date")).to_be_visible()
    dialog.get_by_label("Last login …").select_option("last_days")
    expect(dialog.get_by_label("Days")).to_be_visible()
    dialog.get_by_label("Last login …").select_option("never")
    expect(dialog).to_contain_text("Shows applications without a last login.")
    visitor.check_accessibility()
    visitor.press("APPLY")
    visitor.page.wait_for_url("**last_login__never=1")


def test_input_is_kept_while_the_operator_changes(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.keyboard.press("f")
    dialog.get_by_role("link", name="Client ID").click()
    value = dialog.get_by_label("Value")
    expect(value).to_be_focused()
    held = visitor.hold("**operator=is**")
    with page.expect_request("**operator=is**"):
        dialog.get_by_label("Client ID …").select_option("is")
    value.fill("typed later")
    with page.expect_response("**operator=is**"):
        held[0].continue_()
    expect(page.locator("#operator [value=is][selected]")).to_have_count(1)
    expect(value).to_have_value("typed later")
    expect(value).to_be_focused()


def test_apply_works_while_the_form_is_reloading(visit: Visit, name: str) -> None:
    visitor = visit(applications=[f"{name}1", f"{name}2"])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.keyboard.press("f")
    dialog.get_by_role("link", name="Client ID").click()
    dialog.get_by_label("Value").fill(f"{name}2")
    held = visitor.hold("**operator=is**do=refresh**")
    with page.expect_request("**operator=is**"):
        dialog.get_by_label("Client ID …").select_option("is")
    visitor.press("APPLY")
    page.wait_for_url(f"**client_id__is={name}2")
    held[0].abort()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(dialog).to_have_count(0)


def test_checks_made_while_a_search_is_running_are_kept(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    visitor.press("ADD FILTER")
    dialog.get_by_role("link", name="Scope").click()
    cluster = dialog.get_by_role("checkbox", name=re.compile(f"^{CLUSTER}"))
    department = dialog.get_by_role("checkbox", name=re.compile(f"^{DEPARTMENT}"))
    department.check()
    refresh = re.compile("do=refresh")
    held = visitor.hold(refresh)
    with page.expect_request(refresh):
        dialog.get_by_role("searchbox").fill(DEPARTMENT)
    department.uncheck()
    cluster.check()
    # The second request asks for the selected cluster, which the search leaves out.
    with page.expect_request(refresh):
        held[0].continue_()
    page.unroute(refresh)
    expect(dialog.get_by_role("checkbox")).to_have_count(2)
    expect(cluster).to_be_checked()
    expect(department).not_to_be_checked()
    dialog.get_by_role("button", name="APPLY").filter(visible=True).click()
    expect(page.locator(".chip")).to_contain_text(CLUSTER)
    expect(page.locator(".chip")).not_to_contain_text(DEPARTMENT)


def test_selected_text_stays_selected_during_a_reload(visit: Visit, name: str) -> None:
    """So that typing replaces it: a reload between selecting and typing must not matter."""
    visitor = visit(applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.keyboard.press("f")
    dialog.get_by_role("link", name="Client ID").click()
    dialog.get_by_label("Value").fill(name)
    held = visitor.hold("**operator=is**do=refresh**")
    with page.expect_request("**operator=is**"):
        dialog.get_by_label("Client ID …").select_option("is")
    dialog.get_by_label("Value").select_text()
    with page.expect_response("**operator=is**"):
        held[0].continue_()
    visitor.wait_until("document.querySelector('.htmx-request') === null")
    page.keyboard.type("other")
    expect(dialog.get_by_label("Value")).to_have_value("other")


def test_focus_stays_on_the_button_when_a_column_moves(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    visitor.press("COLUMNS")
    visitor.check_accessibility()
    dialog.get_by_role("checkbox", name="Last updated").uncheck()
    for _ in range(2):
        dialog.get_by_role("button", name="Move Created by up").click()
        expect(dialog.get_by_role("button", name="Move Created by up")).to_be_focused()
    visitor.press("APPLY")
    page.wait_for_url("**columns=application,client_id,created_by,access_rules,*")
    page.goto(f"{visitor.url}/applications/")
    headers = page.locator("thead th a").all_inner_texts()
    assert headers[:4] == ["Application", "Client ID", "Created by", "Access rule(s)"]
    assert "Last updated" not in headers
    visitor.press("COLUMNS")
    visitor.press("RESET")
    expect(page.get_by_role("link", name="Last updated")).to_be_visible()


def test_columns_can_be_moved_with_fast_clicks(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    dialog = visitor.page.locator("dialog[open]")
    visitor.press("COLUMNS")
    up = dialog.get_by_role("button", name="Move Created by up")
    up.evaluate("button => { for (let i = 0; i < 9; i++) button.click(); }")
    titles = dialog.locator(".columns-list label span").all_inner_texts()
    assert titles[:3] == ["Application", "Created by", "Client ID"]
    expect(up).to_have_attribute("aria-disabled", "true")
    expect(dialog.get_by_role("button", name="Move Client ID up")).not_to_have_attribute(
        "aria-disabled", "true"
    )
    expect(status(dialog, "Created by is now column 2 of ")).to_be_visible()
    visitor.press("APPLY")
    visitor.page.wait_for_url("**columns=application,created_by,client_id,*")
    visitor.press("COLUMNS")
    visitor.press("RESET")


def test_columns_are_resized_with_mouse_and_keyboard(visit: Visit, name: str) -> None:
    visitor = visit(
        f"applications/?search={name}",
        applications=[f"{name}-long"],
        viewport={"width": 768, "height": 700},
    )
    page = visitor.page
    shown = page.locator("[data-row] .column-client_id .clip")
    assert shown.evaluate("element => element.scrollHeight <= element.clientHeight")
    separator = page.get_by_role("separator", name="Width of Client ID")
    header = page.locator("th.column-client_id")

    def width() -> float:
        return float(header.evaluate("element => element.offsetWidth"))

    before = width()
    box = separator.bounding_box()
    assert box
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 112, box["y"] + 12, steps=4)
    with page.expect_response("**/applications/width/"):
        page.mouse.up()
    assert width() == pytest.approx(before + 100, abs=1)
    page.reload()
    assert width() == pytest.approx(before + 100, abs=1)
    separator.focus()
    with page.expect_response("**/applications/width/"):
        page.keyboard.press("ArrowLeft")
    expect(separator).to_have_attribute("aria-valuenow", str(round(before + 84)))
    page.locator("#sort-created_by").click()
    page.wait_for_url("**sort=created_by")
    assert width() == pytest.approx(before + 84, abs=1)
    with page.expect_response("**/applications/width/"):
        separator.dblclick()
    page.reload()
    assert width() == pytest.approx(before, abs=1)


def test_rows_can_be_selected_and_deleted_with_the_keyboard(visit: Visit, name: str) -> None:
    visitor = visit(
        f"applications/?search={name}&sort=application", applications=[f"{name}1", f"{name}2"]
    )
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.get_by_role("checkbox", name=f"{name}1", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="REGENERATE CLIENT SECRET")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_text("2 selected")).to_be_visible()
    expect(page.get_by_role("button", name="REGENERATE CLIENT SECRET")).to_be_hidden()
    expect(page.get_by_role("button", name="ENABLE", exact=True)).to_be_hidden()
    visitor.check_accessibility()
    visitor.press("Clear selection")
    page.get_by_role("checkbox", name="Select all on this page").check()
    visitor.press("ADD ACCESS RULE")
    page.get_by_label("Role", exact=True).select_option(label="Viewer")
    dialog.get_by_role("radio", name=DEPARTMENT).check()
    visitor.check_accessibility()
    visitor.press("ADD TO 2")
    expect(dialog).to_contain_text("2 of 2 done")
    visitor.press("CLOSE")
    visitor.press("DELETE")
    expect(dialog).to_contain_text("Delete 2 applications?")
    expect(dialog).to_contain_text("1 access rule · last login never")
    visitor.check_accessibility()
    visitor.press("DELETE 2")
    expect(dialog).to_contain_text("2 of 2 done")
    visitor.check_accessibility()
    visitor.press("CLOSE")
    expect(page.get_by_role("heading", name="No results")).to_be_visible()


def test_rows_of_all_pages_can_be_selected_and_disabled(
    visit: Visit, server: Server, name: str
) -> None:
    make = (
        f"from tests import factories; [factories.application(f'{name}{{n}}') for n in range(23)]"
    )
    assert server.command("shell", "-c", make).returncode == 0
    visitor = visit(f"applications/?search={name}&size=20&sort=application")
    page = visitor.page
    count = page.locator("[data-selected-count]")
    all_of_view = page.get_by_role("link", name="Select all 23")
    visitor.select(f"{name}1")
    expect(all_of_view).to_be_hidden()
    page.get_by_label("Select all on this page").check()
    expect(count).to_have_text("20 selected")
    all_of_view.focus()
    visitor.check_accessibility()
    page.keyboard.press("Enter")
    expect(count).to_have_text("All 23 selected")
    expect(page.get_by_label("Clear selection")).to_be_focused()
    visitor.check_accessibility()
    page.get_by_role("checkbox", name=f"{name}1", exact=True).uncheck()
    expect(count).to_have_text("19 selected")
    page.get_by_label("Select all on this page").check()
    all_of_view.click()
    expect(count).to_have_text("All 23 selected")
    visitor.press("DISABLE")
    expect(page.get_by_role("heading", name="Disable 23 applications?")).to_be_visible()
    visitor.press("DISABLE 23")
    expect(page.get_by_role("heading", name="23 of 23 done")).to_be_visible()
    visitor.check_accessibility()
    visitor.press("CLOSE")
    expect(page.locator("[data-row] .badge", has_text="Disabled")).to_have_count(20)


def test_row_menu_has_the_actions_of_the_row(visit: Visit, name: str) -> None:
    visitor = visit(f"applications/?search={name}", applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.get_by_role("checkbox", name=name, exact=True).focus()
    page.keyboard.press("m")
    menu = page.locator("#row-menu")
    expect(menu.get_by_role("link", name="Open")).to_be_focused()
    expect(menu.get_by_role("button", name="Enable")).to_be_hidden()
    visitor.check_accessibility()
    menu.get_by_role("button", name="Disable").click()
    expect(dialog).to_contain_text(f"Disable {name}?")
    visitor.press("DISABLE")
    row = page.locator("[data-row]", has_text=name)
    expect(row).to_contain_text("Disabled")
    expect(row).to_contain_text("Changed")
    visitor.check_accessibility()


def test_application_has_a_detail_page(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page = visitor.page
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_text("Python", exact=True).click()
    page.get_by_text("Official client (runapy)").click()
    visitor.check_accessibility()
    visitor.press("DISABLE")
    page.locator("dialog[open]").get_by_role("button", name="DISABLE").click()
    expect(page.get_by_role("link", name="ENABLE")).to_be_visible()
    visitor.press("DELETE")
    page.locator("dialog[open]").get_by_role("button", name="DELETE").click()
    page.wait_for_url("**/applications/")
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)


def test_scope_tree_can_be_opened_closed_and_searched(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    visitor.select(name)
    visitor.press("ACCESS RULES")
    visitor.press("ACCESS RULE")
    page.get_by_label("Role", exact=True).select_option(label="Viewer")
    account = dialog.get_by_role("radio").first
    account.focus()
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    expect(dialog.get_by_label("Role", exact=True)).not_to_have_value("")
    dialog.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name=DEPARTMENT)).to_be_visible()
    field = dialog.get_by_role("searchbox", name="Search scopes")
    field.press_sequentially(DEPARTMENT[:11].upper(), delay=20)
    expect(dialog.get_by_role("radio")).to_have_count(1)
    expect(field).to_be_focused()
    visitor.check_accessibility()
    dialog.get_by_role("radio", name=DEPARTMENT).check()
    visitor.press("SAVE RULE")
    expect(status(dialog, "Access rule added: Viewer in")).to_be_visible()


def test_error_disappears_when_the_missing_value_is_selected(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    dialog = visitor.page.locator("dialog[open]")
    visitor.select(name)
    visitor.press("ACCESS RULES")
    visitor.press("ACCESS RULE")
    visitor.press("SAVE RULE")
    errors = dialog.locator(".field-error")
    expect(errors).to_have_text(["Select a role.", "Select a scope."])
    dialog.get_by_label("Role", exact=True).select_option(label="Viewer")
    expect(errors).to_have_text(["Select a scope."])
    dialog.get_by_role("radio", name=DEPARTMENT).check()
    expect(errors).to_have_count(0)
    visitor.check_accessibility()


def test_all_columns_fit_on_a_laptop(visit: Visit, server: Server, name: str) -> None:
    made = server.command(
        "shell", "-c",
        "from datetime import UTC, datetime; from tests import factories;"
        "from applications.models import Application;"
        f"one = factories.application('{name}', ('L1 researcher', factories.account()));"
        "one.subject.enabled = False; one.subject.save();"
        "Application.objects.filter(pk=one.pk).update("
        " created_at=datetime(2026, 7, 25, tzinfo=UTC), updated_at=datetime(2026, 9, 25, tzinfo=UTC),"
        " last_login=datetime(2026, 7, 25, tzinfo=UTC), created_by='somebody.long@acme.example')",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    visitor = visit(f"applications/?search={name}", timezone_id="Europe/Berlin")
    expect(visitor.page.locator("[data-row]")).to_have_count(1)
    table = "document.querySelector('.table-scroll')"
    for width in (1280, 1440):
        visitor.page.set_viewport_size({"width": width, "height": 800})
        assert visitor.page.evaluate(f"{table}.scrollWidth <= {table}.clientWidth"), width


def test_confirmation_of_a_secret_dialog_is_visible_on_small_screens(
    visit: Visit, name: str
) -> None:
    visitor = visit(viewport={"width": 390, "height": 600})
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    visitor.create(name)
    page.keyboard.press("Escape")
    button = dialog.get_by_role("button", name="GO BACK")
    expect(button).to_be_focused()
    footer = dialog.locator(".dialog-foot").bounding_box()
    shown = button.bounding_box()
    assert footer
    assert shown
    assert shown["y"] + shown["height"] <= footer["y"]
    assert shown["y"] >= 0


def test_nothing_is_selected_after_done(visit: Visit, name: str) -> None:
    """The next action must not apply to the application that was selected before."""
    visitor = visit()
    page = visitor.page
    selected = page.locator("[data-row] input:checked")
    row = page.get_by_role("row", name=name)
    visitor.create(name)
    visitor.press("DONE")
    expect(row).to_contain_text("New")
    expect(selected).to_have_count(0)
    visitor.select(name)
    visitor.press("REGENERATE CLIENT SECRET")
    visitor.press("REGENERATE")
    visitor.press("DONE")
    expect(row).to_contain_text("Changed")
    expect(selected).to_have_count(0)


def test_closing_a_secret_dialog_asks_for_confirmation(visit: Visit, name: str) -> None:
    visitor = visit()
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    secret = visitor.create(name)
    page.mouse.click(5, 5)
    expect(dialog.get_by_role("alert")).to_contain_text("Have you saved the client secret?")
    visitor.check_accessibility()
    visitor.press("GO BACK")
    expect(dialog.locator("#issued-secret")).to_have_text(secret)
    expect(dialog.get_by_role("alert")).to_be_hidden()
    page.keyboard.press("Escape")
    visitor.press("CLOSE WITHOUT SAVING")
    expect(dialog).to_have_count(0)
    assert secret not in page.content()


def test_saving_a_secret_as_a_file_skips_the_confirmation(visit: Visit, name: str) -> None:
    visitor = visit()
    secret = visitor.create(name)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    with visitor.page.expect_download() as download:
        visitor.press("SAVE AS .ENV")
    assert download.value.suggested_filename == f"{name}.env"
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[1:] == [f"CLIENT_ID={name}", f"CLIENT_SECRET={secret}"]
    assert [url for url in asked if not url.startswith("blob:")] == []


def test_view_can_be_downloaded_from_the_menu(visit: Visit, name: str) -> None:
    visitor = visit(f"applications/?search={name}1", applications=[f"{name}1", f"{name}2"])
    page = visitor.page
    visitor.press("MORE")
    visitor.check_accessibility()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "applications.csv"
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert f"{name}1" in text
    assert f"{name}2" not in text


def test_keyboard_shortcuts_are_listed(visit: Visit) -> None:
    visitor = visit()
    visitor.page.keyboard.press("?")
    expect(visitor.page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    visitor.check_accessibility()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("dialog[open]")).to_have_count(0)
    visitor.page.keyboard.press("n")
    expect(visitor.page.get_by_label("Application name")).to_be_focused()


def test_customizing_and_bulk_actions_without_javascript(visit: Visit, name: str) -> None:
    visitor = visit(applications=[f"{name}1", f"{name}2"], java_script_enabled=False)
    page = visitor.page
    page.get_by_role("searchbox", name="Search").fill(name)
    visitor.press("SEARCH")
    assert _rows(visitor) == [f"{name}2", f"{name}1"]
    visitor.press("ADD FILTER")
    page.get_by_role("link", name="Last login").click()
    page.get_by_label("Last login …").select_option("last_days")
    visitor.press("UPDATE")
    page.get_by_label("Days").fill("3")
    visitor.press("APPLY")
    assert "No results" in visitor.text()
    page.get_by_role("link", name="Remove filter").click()
    visitor.press("COLUMNS")
    page.get_by_role("checkbox", name="Status").check()
    page.get_by_role("button", name="Move Status up").click()
    visitor.press("APPLY")
    expect(page.get_by_role("columnheader", name="Status")).to_be_visible()
    visitor.press("COLUMNS")
    visitor.press("RESET")
    visitor.select(f"{name}1")
    page.get_by_role("link", name="Select all on this page").click()
    visitor.press("DELETE")
    visitor.press("DELETE 2")
    assert "2 of 2 done" in visitor.text()


def test_dialogs_return_to_the_view_without_javascript(visit: Visit, name: str) -> None:
    path = f"applications/?search={name}&sort=-status"
    visitor = visit(path, applications=[name], java_script_enabled=False)
    page = visitor.page
    view = page.url
    for opener, way_out in [
        ("DISABLE", "CANCEL"), ("REGENERATE CLIENT SECRET", "CANCEL"), ("ACCESS RULES", "CLOSE"),
        ("NEW APPLICATION", "CANCEL"), ("DELETE", "CANCEL"), ("REGENERATE CLIENT SECRET", "DONE"),
        ("DISABLE", "DISABLE"), ("ENABLE", "ENABLE"),
    ]:  # fmt: skip
        if opener == "NEW APPLICATION":
            page.goto(view)
        elif not page.get_by_role("checkbox", name=name).is_checked():
            visitor.select(name)
        visitor.press(opener)
        if way_out == "DONE":
            visitor.press("REGENERATE")
        visitor.press(way_out)
        assert page.url.startswith(view), opener
        assert _rows(visitor) == [name]
