"""Behavior that scripts and style sheets add to the pages."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, Visit, Visitor, status
from tests.servers import Server

pytestmark = pytest.mark.slow


def test_escape_closes_a_dialog_and_restores_the_focus(visit: Visit) -> None:
    page = visit().page
    opener = page.get_by_role("link", name="NEW APPLICATION").first
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(opener).to_be_focused()


def test_escape_does_not_close_a_dialog_with_a_secret(visit: Visit, name: str) -> None:
    visitor = visit()
    secret = visitor.create(name)
    for _ in range(3):
        visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("dialog[open] #issued-secret")).to_have_text(secret)


def test_secret_is_removed_after_done_back_and_reload(visit: Visit, name: str) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.url}/applications/?sort=application")
    secret = visitor.create(name)
    visitor.press("DONE")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert secret not in page.content()
    assert page.url.endswith("/applications/?sort=application")
    page.go_back()
    assert secret not in page.content()
    page.reload()
    assert secret not in page.content()
    stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])"
    assert secret not in page.evaluate(stored)


def test_secret_is_removed_when_the_user_leaves_the_page(visit: Visit, name: str) -> None:
    visitor = visit()
    secret = visitor.create(name)
    visitor.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert secret not in visitor.page.content()


def test_leaving_the_page_with_a_secret_asks_first(visit: Visit, name: str) -> None:
    visitor = visit()
    page = visitor.page
    secret = visitor.create(name)
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(page.locator("dialog[open] #issued-secret")).to_have_text(secret)
    visitor.press("DONE")
    expect(page.locator("dialog[open]")).to_have_count(0)
    questions: list[str] = []
    page.on("dialog", lambda dialog: questions.append(dialog.type))
    page.reload()
    assert questions == []


def test_dialog_of_a_deleted_application_says_so(visit: Visit, name: str) -> None:
    visitor, other = visit(applications=[name]), visit()
    other.select(name)
    other.press("DELETE")
    other.page.locator("dialog[open]").get_by_role("button", name="DELETE").click()
    expect(other.page.get_by_role("checkbox", name=name, exact=True)).to_have_count(0)
    visitor.select(name)
    visitor.press("REGENERATE CLIENT SECRET")
    dialog = visitor.page.locator("dialog[open]")
    expect(dialog).to_contain_text("This page does not exist, or you can't see it.")
    visitor.check_accessibility()
    visitor.press("CLOSE")
    expect(dialog).to_have_count(0)
    expect(visitor.page.get_by_role("checkbox", name=name, exact=True)).to_have_count(0)


def test_unreachable_server_is_reported(visit: Visit) -> None:
    visitor = visit()
    visitor.page.context.set_offline(True)
    visitor.press("NEW APPLICATION")
    expect(status(visitor.page, "The server can't be reached.")).to_be_visible()
    visitor.page.context.set_offline(False)
    visitor.press("NEW APPLICATION")
    expect(visitor.page.get_by_label("Application name")).to_be_visible()
    visitor.errors.clear()  # Chromium reports the lost connection, too


def test_messages_disappear_except_errors_and_are_kept_in_a_menu(visit: Visit, name: str) -> None:
    visitor = visit(f"applications/?search={name}", applications=[name], own_context=True)
    page, area = visitor.page, visitor.page.locator("#messages")
    page.clock.install()
    visitor.select(name)
    visitor.press("DISABLE")
    page.locator("dialog[open]").get_by_role("button", name="DISABLE").click()
    expect(area).to_contain_text(f"Application {name} disabled.")
    visitor.check_accessibility()
    area.get_by_role("button", name="Dismiss").focus()
    page.clock.fast_forward(20_000)
    expect(area).to_contain_text(f"Application {name} disabled.")
    area.get_by_role("button", name="UNDO").click()
    expect(area).to_contain_text(f"Application {name} enabled.")
    page.mouse.move(0, 0)
    page.clock.fast_forward(9_000)
    expect(area).to_be_empty()
    visitor.press("ACCESS RULES")
    expect(page.locator("dialog[open]")).to_contain_text("No access rules")
    page.context.set_offline(True)
    visitor.press("ACCESS RULE")
    over_the_dialog = page.locator("dialog[open]").get_by_text("The server can't be reached.")
    expect(over_the_dialog).to_be_in_viewport()
    page.context.set_offline(False)
    page.clock.fast_forward(20_000)
    page.locator("dialog[open]").get_by_role("button", name="Dismiss").click()
    expect(over_the_dialog).to_have_count(0)
    page.keyboard.press("Escape")
    page.reload()
    visitor.press("Recent messages")
    menu = page.locator("#recent-list li")
    expect(menu.nth(0)).to_contain_text("The server can't be reached.")
    expect(menu.nth(1)).to_have_text(f"Application {name} enabled.")
    expect(menu.nth(2)).to_have_text(f"Application {name} disabled.")
    visitor.check_accessibility()
    visitor.errors.clear()  # Chromium reports the lost connection, too


# The credentials and buttons of the open dialog that something else covers, after scrolling to them.
COVERED = """() => [...document.querySelectorAll("dialog[open] :is(code, button, a)")]
    .filter((element) => element.checkVisibility())
    .filter((element) => {
        element.scrollIntoView({ block: "center" });
        const { left, top, width, height } = element.getBoundingClientRect();
        const hit = document.elementFromPoint(left + width / 2, top + height / 2);
        return !element.contains(hit);
    })
    .map((element) => element.outerHTML)"""


def test_messages_never_cover_a_dialog(visit: Visit, name: str) -> None:
    visitor = visit()
    page, area = visitor.page, visitor.page.locator("#messages")
    visitor.create(name)
    expect(area).to_contain_text(f"Application {name} created.")
    windows = [(640, 512), (390, 800), (320, 256), (1280, 800)]  # the first at 200 % zoom
    for width, height in windows:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(COVERED) == []
    visitor.press("DONE")
    expect(area).to_be_in_viewport()
    visitor.select(name)
    visitor.press("DELETE")
    delete = page.locator("dialog[open]").get_by_role("button", name="DELETE")
    expect(delete).to_be_visible()
    page.context.set_offline(True)
    delete.click()
    expect(page.locator("dialog[open]").get_by_text("The server can't be reached.")).to_be_visible()
    for width, height in windows:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(COVERED) == []
    page.context.set_offline(False)
    visitor.errors.clear()  # Chromium reports the lost connection, too


def test_copy_button_copies_and_confirms(visit: Visit, name: str) -> None:
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    secret = visitor.create(name)
    visitor.press("Copy client secret")
    expect(visitor.page.get_by_role("button", name="Copied")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == secret


def test_copy_button_works_without_clipboard_access(visit: Visit, name: str) -> None:
    """Over plain HTTP a page has no clipboard access."""
    visitor = visit(permissions=["clipboard-read"])
    visitor.page.add_init_script("delete Navigator.prototype.clipboard")
    visitor.page.reload()
    secret = visitor.create(name)
    visitor.press("Copy client secret")
    expect(visitor.page.get_by_role("button", name="Copied")).to_be_visible()
    assert visitor.page.evaluate("String(getSelection())").strip() == secret
    other = visitor.page.context.new_page()
    other.goto(f"{visitor.url}/applications/")
    other.bring_to_front()
    assert other.evaluate("navigator.clipboard.readText()") == secret


def test_copy_button_selects_the_text_if_copying_is_impossible(visit: Visit, name: str) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        "delete Navigator.prototype.clipboard; Document.prototype.execCommand = () => false"
    )
    visitor.page.reload()
    secret = visitor.create(name)
    visitor.press("Copy client secret")
    hint = visitor.page.get_by_role("button", name="Selected: press Ctrl+C or ⌘C to copy")
    expect(hint).to_be_visible()
    assert visitor.page.evaluate("String(getSelection())").strip() == secret


def test_server_learns_the_time_zone_of_the_browser(visit: Visit) -> None:
    visitor = visit(timezone_id="Asia/Kolkata")
    page = visitor.page
    page.reload()
    header = page.get_by_role("link", name="Creation time")
    expect(header).to_have_attribute("data-zone", "IST")
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.locator("td.column-creation_time .zone").first).to_be_visible()


def test_click_on_a_row_toggles_its_selection(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    radio = visitor.page.get_by_role("checkbox", name=name, exact=True)
    expect(radio).not_to_be_checked()
    delete = visitor.page.get_by_role("button", name="DELETE", exact=True)
    cell = visitor.page.get_by_role("row", name=name).locator("td").nth(2)
    cell.click()
    expect(radio).to_be_checked()
    expect(delete).to_be_visible()
    cell.click()
    expect(radio).not_to_be_checked()
    expect(delete).to_be_hidden()
    radio.check()
    visitor.press("Clear selection")
    expect(radio).not_to_be_checked()


def test_sorting_keeps_the_focus_and_updates_the_url(visit: Visit, name: str) -> None:
    visitor = visit(applications=[name])
    page = visitor.page
    page.get_by_role("link", name="Application", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/applications/?sort=application")
    header = page.get_by_role("columnheader", name="Application", exact=True)
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(header.get_by_role("link")).to_be_focused()
    page.go_back()
    expect(header).not_to_have_attribute("aria-sort", "ascending")


def test_changes_are_announced_in_live_regions(visit: Visit, name: str) -> None:
    visitor = visit(f"applications/?search={name}1", applications=[f"{name}1", f"{name}2"])
    page = visitor.page
    page.evaluate(
        "window.kept = ['live-region', 'messages'].map((id) => document.getElementById(id))"
    )
    expect(page.locator("#live-region")).to_have_text("")
    page.get_by_role("link", name="Created by", exact=True).click()
    expect(page.locator("#live-region")).to_have_text("1 row, sorted by Created by, ascending")
    page.get_by_role("searchbox", name="Search").fill(name)
    expect(page.locator("#live-region")).to_have_text("2 rows, sorted by Created by, ascending")
    visitor.select(f"{name}1")
    visitor.press("DISABLE")
    page.locator("dialog[open]").get_by_role("button", name="DISABLE").click()
    expect(page.locator("#messages")).to_contain_text(f"Application {name}1 disabled.")
    assert page.evaluate("window.kept.every((element) => element.isConnected)")


def test_loading_bar_respects_reduced_motion(visit: Visit) -> None:
    page = visit().page
    moves = """() => {
        const bar = document.getElementById("loading");
        bar.classList.add("htmx-request");
        return getComputedStyle(bar).transitionProperty;
    }"""
    assert page.evaluate(moves) == "opacity"
    page.emulate_media(reduced_motion="no-preference")
    assert "scale" in page.evaluate(moves)


def test_late_response_does_not_replace_a_newer_list(visit: Visit, name: str) -> None:
    visitor = visit(applications=[f"{name}1"])
    page = visitor.page
    header = page.get_by_role("columnheader", name="Application", exact=True)
    expect(header).to_be_visible()
    held = visitor.hold("**changed=**")
    with page.expect_request("**changed=**"):
        visitor.create(f"{name}2")
        visitor.press("DONE")
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    held[0].continue_()
    page.get_by_role("link", name="Created by", exact=True).click()
    page.wait_for_url("**sort=created_by")


def test_swapping_a_part_of_the_page_keeps_the_focus(
    visit: Visit, server: Server, name: str
) -> None:
    result = server.command(
        "shell", "-c",
        "from tests import factories;"
        f"[factories.application(f'{name}{{n}}') for n in range(41)]",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    visitor = visit(f"applications/?search={name}&size=20&application__contains=app")
    page = visitor.page
    for control, found in [
        ("#page-next", "page=2"), ("#page-next", "page=3"), ("#page-previous", "page=2"),
        ("#page-last", "page=last"), ("#page-first", "size=20"),
        ("#sort-created_by", "sort=created_by"),
        ("[aria-label='Remove filter: Application contains app']", "search"),
        ("[aria-label='Remove search']", "size=20"),
    ]:  # fmt: skip
        before = page.url
        page.locator(control).focus()
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url, before=before: url != before)  # type: ignore[misc]  # a default
        expect(page.locator("#listing:not(.htmx-swapping, .htmx-settling)")).to_be_visible()
        expect(page.locator(":focus"), control).to_have_count(1)
        assert found in page.url, control
    page.goto(f"{visitor.url}/applications/?search={name}&status__is=disabled")
    page.locator("#clear-all").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="ADD FILTER")).to_be_focused()


def test_closing_a_dialog_restores_the_focus_to_its_opener(visit: Visit, name: str) -> None:
    visitor = visit(f"applications/?search={name}", applications=[name])
    page = visitor.page
    visitor.select(name)
    for opener in ("#do-access-rules", "#do-regenerate", "#do-disable", "#do-delete"):
        page.locator(opener).focus()
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(opener)).to_be_focused()
    for opener, button, message in [
        ("#do-disable", "DISABLE", "disabled."), ("#do-enable", "ENABLE", "enabled."),
        ("#do-delete", "DELETE", "deleted."),
    ]:  # fmt: skip
        page.locator(opener).focus()
        page.keyboard.press("Enter")
        page.locator("dialog[open]").get_by_role("button", name=button).press("Enter")
        expect(page.locator("#messages").get_by_text(message)).to_be_visible()
        expect(page.locator(":focus")).to_have_count(1)


def test_theme_switches_immediately_and_is_saved(visit: Visit) -> None:
    visitor = visit(color_scheme="light")
    page = visitor.page
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    visitor.press("Dark theme")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark


def test_menu_on_a_phone_has_the_same_content(visit: Visit) -> None:
    visitor = visit("account/", own_session=True, viewport={"width": 390, "height": 800})
    expect(visitor.page.get_by_role("button", name="Sign out")).to_be_hidden()
    visitor.press("Menu")
    visitor.check_accessibility()
    visitor.press("Sign out")
    visitor.page.wait_for_url("**/sign-in/")


def test_form_cannot_be_submitted_twice(visit: Visit, name: str) -> None:
    visitor = visit()
    visitor.press("NEW APPLICATION")
    visitor.page.get_by_label("Application name").fill(name)
    with visitor.page.expect_request("**/applications/new/"):
        disabled = visitor.page.evaluate(
            """() => new Promise((done) => {
                const button = document.querySelector("dialog .button-primary");
                button.click();
                setTimeout(() => done(button.disabled));
            })"""
        )
    assert disabled
    expect(visitor.page.locator("#issued-client-id")).to_have_text(name)


def test_all_requests_go_to_the_same_host(visit: Visit, name: str) -> None:
    visitor = visit()
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.reload()
    visitor.create(name)
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith(visitor.url)] == []


def _end_session(visitor: Visitor) -> None:
    # A request that is still pending would meet the ended session first.
    visitor.wait_until("document.querySelector('.htmx-request') === null")
    names = [c["name"] for c in visitor.page.context.cookies() if c["name"].endswith("session")]
    (cookie,) = names
    visitor.page.context.add_cookies([{"name": cookie, "value": "over", "url": visitor.url}])


def test_typed_values_survive_the_end_of_the_session(
    visit: Visit, server: Server, name: str
) -> None:
    visitor = visit("applications/?sort=-application")
    page = visitor.page
    visitor.press("NEW APPLICATION")
    page.get_by_label("Application name").fill(name)
    _end_session(visitor)
    visitor.press("CREATE")
    _sign_in_again(visitor, server)
    expect(page.get_by_label("Application name")).to_have_value(name)
    visitor.press("CREATE")
    expect(page.locator("#issued-secret")).to_be_visible()
    visitor.press("DONE")
    page.wait_for_url("**/applications/?sort=-application*")
    assert page.evaluate("sessionStorage.getItem('kept-form')") is None


def test_filters_and_search_survive_the_end_of_the_session(
    visit: Visit, server: Server, name: str
) -> None:
    visitor = visit("applications/?sort=-application", applications=[name])
    page = visitor.page
    _end_session(visitor)
    page.locator("#search").fill(name)
    _sign_in_again(visitor, server)
    expect(page.locator("#search")).to_have_value(name)
    assert "sort=-application" in page.url


def test_dialog_opened_before_a_new_sign_in_keeps_typed_values(
    visit: Visit, server: Server, name: str
) -> None:
    visitor = visit()
    page = visitor.page
    visitor.press("NEW APPLICATION")
    page.get_by_label("Application name").fill(name)
    other = page.context.new_page()
    other.goto(f"{visitor.url}/applications/")
    other.context.clear_cookies()
    other.goto(f"{visitor.url}/sign-in/")
    other.get_by_label("Email").fill(server.admin_email)
    other.get_by_label("Password").fill(server.admin_password)
    other.get_by_role("button", name="SIGN IN").click()
    other.wait_for_url("**/overview/")
    visitor.press("CREATE")
    expect(page.locator("#messages")).to_contain_text("This form has expired.")
    expect(page.get_by_label("Application name")).to_have_value(name)
    visitor.press("CREATE")
    expect(page.locator("#issued-secret")).to_be_visible()


def test_choices_from_a_search_survive_the_end_of_the_session(
    visit: Visit, server: Server, name: str
) -> None:
    visitor = visit("access-rules/", applications=[name])
    page = visitor.page
    visitor.press("NEW ACCESS RULE")
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("searchbox", name="Search subjects").fill(name)
    expect(dialog.locator(".subject-picker .checks li")).to_have_count(1)
    dialog.get_by_role("checkbox", name=name).check()
    dialog.get_by_label("Role", exact=True).select_option(label="Viewer")
    _end_session(visitor)
    dialog.get_by_role("searchbox", name="Search scopes").fill(CLUSTER)
    _sign_in_again(visitor, server)
    form = page.locator(".dialog-page")
    expect(form.get_by_role("searchbox", name="Search scopes")).to_have_value(CLUSTER)
    expect(form.locator(".tree-found li")).to_have_count(1)
    expect(form.get_by_role("checkbox", name=name)).to_be_checked()
    form.get_by_role("checkbox", name=CLUSTER).check()
    visitor.press("SAVE RULES")
    expect(page.get_by_text("1 of 1 done")).to_be_visible()


def test_another_user_does_not_get_the_typed_values(
    visit: Visit, server: Server, name: str
) -> None:
    email = f"{name}@example.com"
    assert server.command("create_admin", email).returncode == 0
    visitor = visit()
    page = visitor.page
    visitor.press("NEW APPLICATION")
    page.get_by_label("Application name").fill(name)
    _end_session(visitor)
    visitor.press("CREATE")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(server.admin_password)
    visitor.press("SIGN IN")
    page.goto(f"{visitor.url}/applications/new/")
    assert name not in page.locator("main").inner_html()


def _sign_in_again(visitor: Visitor, server: Server) -> None:
    expect(visitor.page.get_by_text("Your session has ended. Sign in to continue.")).to_be_visible()
    visitor.page.get_by_label("Email").fill(server.admin_email)
    visitor.page.get_by_label("Password").fill(server.admin_password)
    visitor.press("SIGN IN")
