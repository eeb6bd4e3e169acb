"""Users and groups in a real browser: mouse, keyboard, without JavaScript, on a phone."""

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import Visit, Visitor, status

pytestmark = pytest.mark.slow
PASSWORD = "a-password-of-my-own"


@pytest.fixture
def email(name: str) -> str:
    return f"{name}@acme.example"


def _list(visitor: Visitor, email: str, page: str = "users") -> None:
    """Filter the list to this row: other tests create rows at the same time."""
    visitor.page.goto(f"{visitor.url}/{page}/?search={email}")


def _create(visitor: Visitor, email: str) -> str:
    """Create a user and return the temporary password; the dialog stays open."""
    visitor.press("NEW USER")
    visitor.page.get_by_label("Email").fill(email)
    visitor.press("CREATE")
    return visitor.page.locator("#issued-secret").inner_text()


def _sign_in(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="SIGN IN", exact=True).click()


def _choose(page: Page, temporary: str) -> None:
    page.get_by_label("Temporary password").fill(temporary)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm new password").fill(PASSWORD)
    page.get_by_role("button", name="SAVE PASSWORD").click()


def test_new_user_can_sign_in(visit: Visit, email: str) -> None:
    visitor = visit("users/")
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    visitor.check_accessibility()
    visitor.press("NEW USER")
    expect(page.get_by_label("Email")).to_be_focused()
    page.get_by_label("Email").fill("nobody")
    visitor.press("CREATE")
    expect(dialog.locator("#email-error")).to_contain_text("Enter a valid email")
    visitor.check_accessibility()
    page.get_by_label("Email").fill(email)
    visitor.press("CREATE")
    temporary = dialog.locator("#issued-secret").inner_text()
    expect(dialog).to_contain_text("share it securely")
    visitor.check_accessibility()
    page.keyboard.press("Escape")
    expect(dialog).to_contain_text("Have you saved the temporary password?")
    visitor.press("GO BACK")
    visitor.press("DONE")
    expect(dialog).to_have_count(0)
    expect(status(page, f"User {email} created.")).to_be_visible()
    expect(page.get_by_role("row", name=email)).to_contain_text("Temporary password")
    assert temporary not in page.content()

    newcomer = visit()
    newcomer.page.context.clear_cookies()
    _sign_in(newcomer.page, newcomer.url, email, temporary)
    expect(newcomer.page.get_by_role("heading", name="Choose your password")).to_be_visible()
    newcomer.check_accessibility()
    characters, field = (
        newcomer.page.get_by_label(name) for name in ("Show characters", "Temporary password")
    )
    characters.check()
    expect(field).to_have_attribute("type", "text")
    characters.uncheck()
    expect(field).to_have_attribute("type", "password")
    characters.check()
    _choose(newcomer.page, temporary)
    # A user without access gets their account page, not a 403.
    expect(newcomer.page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(newcomer.page.get_by_text("You don't have any access yet")).to_be_visible()
    newcomer.check_accessibility()


def test_back_and_reload_do_not_show_the_password_again(visit: Visit, email: str) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.url}/users/?sort=user")
    temporary = _create(visitor, email)
    visitor.press("DONE")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert temporary not in page.content()
    assert page.url.endswith("/users/?sort=user")
    page.go_back()
    assert temporary not in page.content()
    page.reload()
    assert temporary not in page.content()


def test_password_page_is_not_cached_without_javascript(visit: Visit, email: str) -> None:
    visitor = visit("users/", java_script_enabled=False)
    page = visitor.page
    _create(visitor, email)
    visitor.press("DONE")
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()


def test_reset_disable_and_email_in_use(visit: Visit, email: str) -> None:
    visitor = visit("users/")
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    first = _create(visitor, email)
    visitor.press("DONE")
    _list(visitor, email)
    visitor.select(email)
    visitor.press("RESET PASSWORD")
    expect(dialog).to_contain_text("signed out everywhere")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="RESET PASSWORD").click()
    second = dialog.locator("#issued-secret").inner_text()
    assert second != first
    visitor.press("DONE")
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row", name=email)
    expect(row).to_contain_text("Changed")  # the list is refreshed, so it keeps the selection
    visitor.select(email)
    visitor.press("DISABLE")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="DISABLE").click()
    expect(row).to_contain_text("Disabled")
    visitor.press("NEW USER")
    page.get_by_label("Email").fill(email)
    visitor.press("CREATE")
    expect(dialog.locator("#email-error")).to_contain_text("already exists but is disabled")
    visitor.check_accessibility()
    dialog.get_by_role("link", name=f"ENABLE {email}").click()
    dialog.get_by_role("button", name="ENABLE").click()
    expect(dialog).to_have_count(0)
    expect(row).not_to_contain_text("Disabled")


def test_groups_and_members_in_the_browser(visit: Visit, email: str, name: str) -> None:
    visitor = visit("users/")
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    _create(visitor, email)
    visitor.press("DONE")
    tabs = page.get_by_role("navigation", name="Lists")
    tabs.get_by_role("link", name="Groups").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Groups")
    visitor.press("NEW GROUP")
    page.get_by_label("Name", exact=True).fill(name)
    visitor.press("CREATE")
    expect(status(page, f"Group {name} created.")).to_be_visible()
    visitor.check_accessibility()
    page.get_by_role("row", name=name).get_by_role("link", name=name, exact=True).click()
    visitor.press("MEMBERS")
    dialog.locator("#do-add").click()
    page.get_by_role("searchbox", name="Search subjects").fill(email)
    dialog.get_by_role("checkbox", name=email).check()
    visitor.check_accessibility()
    visitor.press("ADD MEMBERS")
    expect(status(dialog, f"{email} added to {name}.")).to_be_visible()
    visitor.press("CLOSE")
    expect(page.locator("#listing")).to_contain_text(email)
    visitor.check_accessibility()
    page.get_by_role("link", name=email).click()
    expect(page.get_by_role("heading", name=email)).to_be_visible()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    visitor.check_accessibility()
    visitor.press("GROUPS")
    visitor.check_accessibility()
    dialog.get_by_role("button", name=f"Remove {email} from {name}").click()
    expect(status(dialog, f"removed from {name}.")).to_be_visible()
    visitor.press("CLOSE")
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)


def test_users_and_groups_without_javascript(visit: Visit, email: str, name: str) -> None:
    visitor = visit("users/", java_script_enabled=False)
    page = visitor.page
    _create(visitor, email)
    visitor.press("DONE")
    page.goto(f"{visitor.url}/groups/")
    visitor.press("NEW GROUP")
    page.get_by_label("Name", exact=True).fill(name)
    visitor.press("CREATE")
    assert f"Group {name} created." in visitor.text()
    _list(visitor, email)
    visitor.select(email)
    visitor.press("GROUPS")
    page.get_by_label("Add to").select_option(label=name)
    visitor.press("ADD")
    assert f"{email} added to {name}." in visitor.text()
    visitor.press("CLOSE")
    assert page.url.startswith(f"{visitor.url}/users/?search=")
    assert name in page.get_by_role("row", name=email).inner_text()
    visitor.select(email)
    visitor.press("RESET PASSWORD")
    visitor.press("RESET PASSWORD")
    temporary = page.locator("#issued-secret").inner_text()
    visitor.press("DONE")
    visitor.select(email)
    visitor.press("DISABLE")
    visitor.press("DISABLE")
    assert f"User {email} disabled." in visitor.text()
    visitor.select(email)
    visitor.press("ENABLE")
    visitor.press("ENABLE")
    assert f"User {email} enabled." in visitor.text()
    _list(visitor, name, "groups")
    visitor.select(name)
    visitor.press("MEMBERS")
    page.get_by_role("button", name=f"Remove {email}").click()
    assert f"{email} removed from {name}." in visitor.text()
    visitor.press("MEMBERS")
    page.get_by_role("searchbox", name="Search subjects").fill(email)
    visitor.press("FIND")
    page.get_by_role("checkbox", name=email).check()
    visitor.press("ADD MEMBERS")
    assert f"{email} added to {name}." in visitor.text()
    visitor.press("CLOSE")
    visitor.select(name)
    visitor.press("DELETE")
    visitor.press("DELETE")
    assert f"Group {name} deleted." in visitor.text()

    page.context.clear_cookies()
    _sign_in(page, visitor.url, email, temporary)
    _choose(page, temporary)
    page.goto(f"{visitor.url}/account/")
    visitor.press("CHANGE PASSWORD")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(f"{PASSWORD}-2")
    page.get_by_label("Confirm new password").fill(f"{PASSWORD}-2")
    visitor.press("CHANGE PASSWORD")
    assert "Password changed." in visitor.text()
    visitor.press("SIGN OUT EVERYWHERE")
    visitor.press("SIGN OUT EVERYWHERE")
    assert "Signed out everywhere." in visitor.text()


def test_users_with_the_keyboard(visit: Visit, email: str) -> None:
    visitor = visit("users/")
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    page.keyboard.press("n")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Enter")
    expect(dialog.locator("#issued-secret")).to_be_visible()
    expect(dialog.get_by_role("link", name="DONE")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row", name=email)).to_contain_text("New")
    visitor.wait_until("document.activeElement !== document.body")
    page.locator(".row-changed input").focus()
    page.keyboard.press("Space")  # the tools stay beside the actions of the selected row
    page.keyboard.press("/")
    page.keyboard.type(email)
    expect(page.locator("[data-row]")).to_have_count(1)
    page.get_by_role("checkbox", name=email, exact=True).focus()
    page.keyboard.press("m")
    expect(page.locator("#row-menu")).to_be_visible()
    page.get_by_role("button", name="Disable", exact=True).press("Enter")
    expect(dialog.get_by_role("button", name="DISABLE")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=email)).to_contain_text("Disabled")
