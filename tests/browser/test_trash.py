"""The trash, and a new application like another one, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, Visit, status
from tests.servers import Server

pytestmark = pytest.mark.slow


def test_a_copied_application_is_deleted_and_restored(
    visit: Visit, server: Server, name: str
) -> None:
    server.command("create_application", name, "--role", "Viewer", "--scope", f"cluster:{CLUSTER}")
    visitor = visit(f"applications/?search={name}", viewport={"width": 390, "height": 844})
    page = visitor.page
    page.get_by_role("link", name=name, exact=True).click()
    visitor.press("MORE")
    visitor.press("New application like this one")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Viewer in cluster {CLUSTER}")
    visitor.check_accessibility()
    dialog.get_by_label("Application name").fill(f"{name}-copy")
    visitor.press("CREATE")
    expect(dialog).to_contain_text("Access rules added")
    visitor.press("DONE")
    visitor.press("DELETE")
    expect(dialog).to_contain_text("can be restored for 30 days")
    dialog.get_by_role("button", name="DELETE").click()
    page.wait_for_url(re.compile(r"/applications/($|\?)"))
    page.get_by_role("button", name="MORE").click()
    page.get_by_role("link", name="Trash").click()
    page.wait_for_url("**/applications/trash/")
    visitor.check_accessibility()
    page.get_by_role("checkbox", name=name, exact=True).check()
    visitor.press("RESTORE")
    expect(dialog).to_contain_text(f"Viewer in cluster {CLUSTER}")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="RESTORE").click()
    expect(status(page, f"Application {name} restored.")).to_be_visible()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
