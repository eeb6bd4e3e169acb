"""The API page in a browser."""

from tests.browser.conftest import Visit


def test_page_is_accessible_and_fits_a_phone(visit: Visit) -> None:
    visitor = visit()
    visitor.press("API")
    visitor.page.wait_for_url("**/api/docs/")
    visitor.page.locator("summary").first.click()
    visitor.check_accessibility()
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    body = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert body <= 320
