"""The API page in a browser."""

from tests import sizes
from tests.browser.conftest import Visit

# All but the first operations of each part. The others have the same colors.
REMOVE_FURTHER_OPERATIONS = """() => document.querySelectorAll("details:nth-of-type(n + 4)")
    .forEach((operation) => operation.remove())"""


def test_page_is_accessible_and_fits_a_phone(visit: Visit) -> None:
    visitor = visit()
    visitor.press("API")
    visitor.page.wait_for_url("**/api/docs/")
    visitor.page.locator("summary").first.click()
    visitor.check_accessibility(["light"])
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    body = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert body <= 320
    if not sizes.IS_LARGE:
        visitor.page.evaluate(REMOVE_FURTHER_OPERATIONS)
    visitor.check_accessibility(["dark"])
