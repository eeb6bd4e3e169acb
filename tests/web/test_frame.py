"""The frame of all pages: themes, headers, error pages."""

import re

import pytest
from django.db import OperationalError
from django.test import Client

from applications import policy
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import LISTING, SignedIn, text_of

pytestmark = pytest.mark.any_database

LIST = "/applications/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser, which shows 500 pages instead of raising."""
    return as_(ada, raise_request_exception=False)


def test_frame_shows_the_account_and_the_user(browser: Client) -> None:
    page = text_of(browser.get(LIST))
    assert "acme" in page
    assert "ada@acme.example" in page
    assert 'aria-current="page"' in browser.get(LIST).content.decode()


@pytest.mark.parametrize("theme", ["light", "dark", "system"])
def test_theme_is_set_in_the_html(browser: Client, theme: str) -> None:
    answer = browser.post("/theme/", {"theme": theme, "next": f"{LIST}?page=1"})
    assert answer.url == f"{LIST}?page=1"
    assert f'data-theme="{theme}"' in browser.get(LIST).content.decode()


def test_unknown_theme_is_the_system_theme(browser: Client) -> None:
    browser.post("/theme/", {"theme": '"><script>'})
    assert 'data-theme="system"' in browser.get(LIST).content.decode()
    browser.cookies["theme"] = "neon"
    assert 'data-theme="system"' in browser.get(LIST).content.decode()


def test_theme_switch_never_redirects_to_another_host(browser: Client) -> None:
    assert browser.post("/theme/", {"theme": "dark", "next": "//evil.example"}).url == "/"


@pytest.mark.parametrize("path", [LIST, "/sign-in/", "/applications/new/", "/nowhere/"])
def test_pages_have_no_inline_scripts_or_styles(browser: Client, client: Client, path: str) -> None:
    content = (client if path == "/sign-in/" else browser).get(path).content.decode()
    assert "<html" in content
    assert re.findall(r"<script(?![^>]*\ssrc=)", content) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", content) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', content) == [], "resources of another host"


def test_unexpected_error_page_shows_no_details(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("canary-in-the-traceback")

    monkeypatch.setattr(policy, "visible", fail)
    answer = browser.get(LIST)
    assert answer.status_code == 500
    assert "Something went wrong." in text_of(answer)
    assert answer.headers["X-Request-Id"] in text_of(answer)
    assert "canary" not in answer.content.decode()


def test_outage_page_does_not_use_the_database(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    answer = browser.get(LIST)
    assert answer.status_code == 503
    assert "The database is not responding." in text_of(answer)
    assert answer.headers["Retry-After"] == "5"


def test_error_in_a_fragment_reloads_the_page(vera: User, as_: SignedIn) -> None:
    answer = as_(vera).get(LIST, headers=LISTING)
    assert answer.status_code == 403
    assert answer.headers["HX-Refresh"] == "true"


# Navigation.


def _rail(browser: Client) -> list[str]:
    content = browser.get("/account/").content.decode().partition('aria-label="Main"')[2]
    return re.findall(r'title="([^"]+)">', content.partition("</nav>")[0])


def test_rail_shows_pages_the_user_can_see(
    browser: Client, dina: User, vera: User, as_: SignedIn
) -> None:
    access = ["Applications", "Access rules", "Roles", "Scopes", "Users and groups"]
    assert _rail(browser) == ["Overview", *access, "Activity", "System", "API"]
    assert _rail(as_(dina)) == [*access, "API"]
    assert _rail(as_(vera)) == ["Scopes", "API"]
    assert _rail(as_(factories.person("otto@acme.example"))) == ["API"]


def test_landing_page_is_the_first_page_the_user_can_see(
    browser: Client, dina: User, vera: User, as_: SignedIn
) -> None:
    assert browser.get("/").url == "/overview/"
    assert as_(dina).get("/").url == LIST
    assert as_(vera).get("/").url == "/scopes/"
    assert as_(factories.person("otto@acme.example")).get("/").url == "/account/"
