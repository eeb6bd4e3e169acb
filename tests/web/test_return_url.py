"""The return URL of dialogs that are shown as pages."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import SignedIn

pytestmark = pytest.mark.any_database

VIEW = "/applications/?search=c&sort=-last_login"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def ci(db: None) -> Application:
    return factories.application("ci")


def _delete(browser: Client, application: Application, opened_from: str) -> str:
    url = f"/applications/{application.pk}/delete/"
    return browser.post(url, {"from": opened_from}).headers["Location"]


def test_dialog_links_back_to_its_view(browser: Client, ci: Application) -> None:
    query = urlencode({"action": "delete", "selected": ci.pk, "from": VIEW})
    page = browser.get(f"/applications/selected/?{query}", follow=True)
    back = f"{VIEW}&selected={ci.pk}".replace("&", "&amp;")
    assert page.content.decode().count(f'href="{back}"') == 2


def test_action_returns_to_the_view_with_the_changed_row(browser: Client, ci: Application) -> None:
    answer = browser.post(f"/applications/{ci.pk}/disable/", {"from": VIEW})
    assert answer.headers["Location"] == f"{VIEW}&changed={ci.pk}&selected={ci.pk}"


def test_action_does_not_return_to_a_deleted_page(browser: Client, ci: Application) -> None:
    assert _delete(browser, ci, ci.get_absolute_url()) == "/applications/"


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "x" * 5000,
     "/applications/?" + "x" * 5000, "\x00"],
)  # fmt: skip
def test_return_url_stays_on_the_host(browser: Client, ci: Application, address: str) -> None:
    assert _delete(browser, ci, address) == "/applications/"


@pytest.mark.parametrize(
    "key", ["7", "x", "1" * 400, "\x00", "00000000-0000-0000-0000-000000000000"]
)
def test_unknown_selected_row_is_ignored(browser: Client, key: str) -> None:
    for path in ("", "selected/"):
        query = urlencode({"action": "delete", "selected": key, "changed": key})
        answer = browser.get(f"/applications/{path}?{query}", follow=True)
        assert answer.status_code in (200, 404)
