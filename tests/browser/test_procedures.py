"""The procedures of the product's article on applications, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CLUSTER, DEPARTMENT, Visit, Visitor, status

pytestmark = pytest.mark.slow


def _credentials_work(visitor: Visitor, name: str, secret: str) -> bool:
    answer = visitor.page.request.post(
        f"{visitor.url}/api/v2/token",
        form={"grant_type": "client_credentials", "client_id": name, "client_secret": secret},
    )
    return bool(answer.ok)


def test_application_procedures_in_the_browser(visit: Visit, name: str) -> None:
    visitor = visit("sign-in/")
    page, dialog = visitor.page, visitor.page.locator("dialog[open]")
    visitor.check_accessibility()
    page.goto(f"{visitor.url}/applications/?search={name}")

    # Creating an application
    visitor.press("NEW APPLICATION")
    expect(page.get_by_label("Application name")).to_be_focused()
    visitor.check_accessibility()
    page.get_by_label("Application name").fill("Not A Name")
    visitor.press("CREATE")
    expect(dialog.locator("#name-error")).to_contain_text("must start with a lowercase letter")
    expect(page.get_by_label("Application name")).to_have_value("Not A Name")
    visitor.check_accessibility()
    page.get_by_label("Application name").fill(name)
    visitor.press("CREATE")
    secret = dialog.locator("#issued-secret").inner_text()
    expect(dialog.locator("#issued-client-id")).to_have_text(name)
    expect(dialog).to_contain_text("It cannot be recovered but can be regenerated.")
    visitor.check_accessibility()
    visitor.press("DONE")
    expect(dialog).to_have_count(0)
    expect(status(page, f"Application {name} created.")).to_be_visible()
    expect(page.get_by_role("row", name=name)).to_contain_text("New")
    assert secret not in page.content()
    assert _credentials_work(visitor, name, secret)
    visitor.check_accessibility()

    # Adding access rules
    visitor.select(name)
    visitor.press("ACCESS RULES")
    expect(dialog).to_contain_text("No access rules")
    visitor.check_accessibility()
    for role, scope in (("Viewer", CLUSTER), ("L1 researcher", DEPARTMENT)):
        visitor.press("ACCESS RULE")
        page.get_by_label("Role").select_option(label=role)
        expect(dialog.locator("#role-description")).not_to_be_empty()
        dialog.get_by_role("radio", name=scope).check()
        visitor.press("SAVE RULE")
        expect(status(dialog, f"Access rule added: {role} in")).to_be_visible()
    expect(dialog).to_contain_text(f"/ {CLUSTER} / {DEPARTMENT}")
    visitor.check_accessibility()

    # Deleting an access rule
    dialog.get_by_role("button", name="Delete access rule Viewer").click()
    expect(status(dialog, "Access rule removed: Viewer")).to_be_visible()
    visitor.press("CLOSE")
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row", name=name)
    expect(row).to_contain_text(f"L1 researcher in {DEPARTMENT}")
    expect(page.get_by_role("checkbox", name=name, exact=True)).to_be_checked()

    # Regenerating the client secret
    visitor.press("REGENERATE CLIENT SECRET")
    expect(dialog).to_contain_text("Regenerating a client secret revokes the previous one.")
    visitor.check_accessibility()
    visitor.press("REGENERATE")
    new_secret = dialog.locator("#issued-secret").inner_text()
    visitor.press("DONE")
    expect(page.locator("#issued-secret")).to_have_count(0)
    assert new_secret not in page.content()
    assert _credentials_work(visitor, name, new_secret)
    assert not _credentials_work(visitor, name, secret)

    # Disabling and enabling
    visitor.select(name)
    visitor.press("DISABLE")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="DISABLE").click()
    expect(row).to_contain_text("Disabled")
    assert not _credentials_work(visitor, name, new_secret)
    visitor.press("ENABLE")
    dialog.get_by_role("button", name="ENABLE").click()
    expect(row).not_to_contain_text("Disabled")

    # Deleting the application
    visitor.press("DELETE")
    expect(dialog).to_contain_text("Access rules deleted with it")
    visitor.check_accessibility()
    dialog.get_by_role("button", name="DELETE").click()
    expect(page.locator("#messages")).to_contain_text(f"Application {name} deleted.")
    expect(row).to_have_count(0)
    assert not _credentials_work(visitor, name, new_secret)


def test_application_procedures_without_javascript(visit: Visit, name: str) -> None:
    visitor = visit(java_script_enabled=False)
    page = visitor.page
    secret = visitor.create(name)
    visitor.press("DONE")
    assert f"Application {name} created." in visitor.text()
    assert _credentials_work(visitor, name, secret)

    page.goto(f"{visitor.url}/applications/?sort=-creation_time")
    visitor.select(name)
    visitor.press("ACCESS RULES")
    visitor.press("ACCESS RULE")
    page.get_by_text("Permissions of the roles").click()
    expect(page.get_by_text("Looks at departments, projects")).to_be_visible()
    page.get_by_label("Role").select_option(label="Viewer")
    page.get_by_role("radio", name=DEPARTMENT).check()
    visitor.press("SAVE RULE")
    assert f"Access rule added: Viewer in department {DEPARTMENT}." in visitor.text()
    page.get_by_role("button", name="Delete access rule Viewer").click()
    assert f"Access rule removed: Viewer in department {DEPARTMENT} · " in visitor.text()
    visitor.press("CLOSE")

    visitor.press("REGENERATE CLIENT SECRET")
    visitor.press("REGENERATE")
    new_secret = page.locator("#issued-secret").inner_text()
    visitor.press("DONE")
    assert _credentials_work(visitor, name, new_secret)
    assert not _credentials_work(visitor, name, secret)

    visitor.select(name)
    visitor.press("DISABLE")
    visitor.press("DISABLE")
    assert f"Application {name} disabled." in visitor.text()
    visitor.press("DELETE")
    visitor.press("DELETE")
    assert f"Application {name} deleted." in visitor.text()
    expect(page.get_by_role("checkbox", name=name, exact=True)).to_have_count(0)
