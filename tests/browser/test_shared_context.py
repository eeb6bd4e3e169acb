"""The browser context that the tests of a process share."""

from playwright.sync_api import expect

from tests.browser.conftest import SharedContext, Visit


def test_nothing_of_a_test_is_left_in_the_shared_context(
    visit: Visit, shared_context: SharedContext
) -> None:
    context = shared_context.context
    page = visit().page
    page.evaluate("""() => {
        localStorage.left = sessionStorage.left = "x";
        document.cookie = "left=x; path=/";
    }""")
    context.grant_permissions(["geolocation"])
    context.route("**/overview/", lambda route: route.abort())
    context.clear_cookies()
    context.set_offline(True)
    shared_context.reset()
    assert page.is_closed()
    page = context.new_page()
    page.goto(f"{shared_context.url}/overview/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert page.evaluate("localStorage.left ?? sessionStorage.left") is None
    assert "left" not in page.evaluate("document.cookie")
    asked = "navigator.permissions.query({ name: 'geolocation' }).then(({ state }) => state)"
    assert page.evaluate(asked) != "granted"
