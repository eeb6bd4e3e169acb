"""Links from entities to their history."""

import re
import uuid
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client

from applications.actions.creation import create_application
from runai_access.accounts.models import User
from tests import factories
from tests.web.activity import LIST, happened, names
from tests.web.conftest import Organization, SignedIn, column, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def history(response: HttpResponse) -> str:
    """Return the URL of the first history link on a page."""
    found = re.search(r'href="(/activity/\?history__is=[^"]+)"', response.content.decode())
    assert found, "the page has no history link"
    return unescape(found[1])


def test_application_page_links_to_its_history(
    browser: Client, ada: User, acme: Organization
) -> None:
    caller = factories.caller(ada)
    ci, other = (create_application(caller=caller, name=n).application for n in ("ci", "other"))
    rule = factories.rule(ci, "Viewer", acme.training)
    factories.rule(other, "Viewer", acme.training)
    happened("its rule", 1, entity_type="access_rule", entity_id=str(rule.pk))
    happened("what it did", 2, subject_id=ci.pk, entity_id="5", entity_type="project")
    happened("ci", 3, entity_id="", result="Failed", action="sign-in", subject_name="ci")
    happened("another rule", 4, entity_type="access_rule", entity_id="999999")
    page = browser.get(history(browser.get(ci.get_absolute_url())))
    assert "History of application ci" in text_of(page)
    entities = column(page, "entity")
    assert entities == [
        "application ci", "application ci", "project what it did", "access rule its rule",
    ]  # fmt: skip


def test_scope_history_includes_its_rules(browser: Client, acme: Organization) -> None:
    rule = factories.rule(factories.person("pat@acme.example"), "Viewer", acme.training)
    happened("project training", 0, entity_type="project", entity_id=acme.training.uid)
    happened("rule", 1, entity_type="access_rule", entity_id=str(rule.pk))
    happened("department vision", 2, entity_type="department", entity_id=acme.vision.uid)
    page = browser.get(LIST, {"history__is": f"project:{acme.training.uid}"})
    assert column(page, "entity") == ["access rule rule", "project training"]
    assert "History of project training" in text_of(page)


def test_entity_links_to_its_history(browser: Client) -> None:
    happened("pat@acme.example", entity_type="user")
    happened("later", 1, entity_type="user", entity_id=str(uuid.UUID(int=8)))
    assert names(browser.get(history(browser.get(LIST)))) == ["later"]


def test_pages_link_to_histories(browser: Client, ada: User, acme: Organization) -> None:
    rule = factories.rule(factories.person("pat@acme.example"), "Viewer", acme.training)
    training = f"project%3A{acme.training.uid}"
    ci = factories.application("ci")
    happened("on Ada", entity_type="user", entity_id=str(ada.pk))
    for address, thing in (
        ("/access-rules/", f"access_rule%3A{rule.pk}"),
        ("/applications/", f"application%3A{ci.pk}"),
        (f"/scopes/?search={acme.training.name}", training),
        (f"/access/scopes/{acme.training.pk}/", training),
        (f"/users/{ada.pk}/", f"user%3A{ada.pk}"),
    ):
        page = browser.get(address).content.decode()
        assert f'href="/activity/?history__is={thing}"' in page, address


def test_history_links_require_permission(as_: SignedIn, dina: User, acme: Organization) -> None:
    factories.application("ci", ("Viewer", acme.training))
    browser = as_(dina)
    for address in ("/access-rules/", "/applications/", "/scopes/"):
        page = browser.get(address)
        assert page.status_code == 200
        assert "/activity/" not in page.content.decode()


def test_row_menus_link_to_histories(
    browser: Client, dina: User, acme: Organization, as_: SignedIn
) -> None:
    ops = factories.group("ops")
    rule = factories.rule(ops, "Viewer", acme.training)
    ci = factories.application("ci", ("Viewer", acme.training))
    histories = {
        "/applications/": f"application%3A{ci.pk}",
        "/access-rules/": f"access_rule%3A{rule.pk}",
        "/scopes/": f"department%3A{acme.vision.uid}",
        "/scopes/list/": f"project%3A{acme.training.uid}",
        "/users/": f"user%3A{dina.pk}",
        "/groups/": f"group%3A{ops.pk}",
    }
    for address, thing in histories.items():
        content = browser.get(address).content.decode()
        assert f'data-history="/activity/?history__is={thing}"' in content, address
        assert "data-row-history" in content, address
        others = as_(dina).get(address).content.decode()
        assert "history" not in others.partition('id="listing"')[2], address


def test_history_without_events_shows_the_entity_name(browser: Client, acme: Organization) -> None:
    rule = factories.rule(factories.group("ops"), "Viewer", acme.training)
    named = {
        f"project:{acme.training.uid}": "History of project training",
        f"access_rule:{rule.pk}": "History of access rule ops is Viewer in project training",
        f"group:{rule.subject_id}": "History of group ops",
        "access_rule:999999": "History of access rule 999999",
        "access_rule:ops": "History of access rule ops",
        "department:nowhere": "History of department nowhere",
        f"user:{'0' * 8}-0000-4000-8000-{'0' * 12}": "History of user 00000000-0000-4000",
    }
    for thing, words in named.items():
        assert words in text_of(browser.get(LIST, {"history__is": thing})), thing
