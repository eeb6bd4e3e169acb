"""The display names of users."""

import uuid

import pytest
from django.test import Client

from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, column, text_of

LIST = "/users/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def bo(db: None) -> User:
    return factories.person("bo@acme.example")


def rename(browser: Client, user: User, name: str, **options: object) -> object:
    return browser.post(f"{LIST}{user.pk}/rename/", {"display_name": name}, **options)


def test_new_user_can_have_a_name(browser: Client) -> None:
    form = {"email": "nina@acme.example", "submission": str(uuid.uuid4())}
    assert browser.post(f"{LIST}new/", {**form, "display_name": " Nina  Øre "}).status_code == 200
    nina = User.objects.get(email="nina@acme.example")
    assert nina.display_name == "Nina Øre"
    assert "Name Nina Øre" in text_of(browser.get(f"{LIST}{nina.pk}/"))
    event = AuditEvent.objects.get(action="create")
    assert event.changes["displayName"] == [None, "Nina Øre"]


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "htmx"])
def test_renaming_shows_the_name_and_is_audited(
    browser: Client, bo: User, headers: dict[str, str]
) -> None:
    assert "Name of bo@acme.example" in text_of(browser.get(f"{LIST}{bo.pk}/rename/"))
    answer = rename(browser, bo, "Bo Berg", headers=headers)
    assert answer.status_code == (204 if headers else 302)
    assert User.objects.get(pk=bo.pk).display_name == "Bo Berg"
    event = AuditEvent.objects.get(action="update")
    assert (event.entity_name, event.changes) == (bo.email, {"displayName": ["", "Bo Berg"]})
    rename(browser, bo, "")
    assert User.objects.get(pk=bo.pk).display_name == ""


@pytest.mark.parametrize("name", ["x" * 101, "two\x00parts", "\u2800"])
def test_invalid_name_is_refused_with_the_field(browser: Client, bo: User, name: str) -> None:
    answer = rename(browser, bo, name)
    assert answer.status_code == 422
    assert 'id="display_name-error"' in answer.content.decode()
    assert User.objects.get(pk=bo.pk).display_name == ""


def test_users_are_found_by_their_names(browser: Client, bo: User) -> None:
    rename(browser, bo, "Berg, Bo")
    columns = "columns=user,display_name"
    for query in (
        "search=berg", "search=BERG,%20bo", "display_name__contains=BERG",
        f"created_by__is={factories.MAKER}&search=berg",
    ):  # fmt: skip
        answer = browser.get(f"{LIST}?{columns}&{query}")
        assert column(answer, "display_name") == ["Berg, Bo"], query
    assert column(browser.get(f"{LIST}?search=bergen"), "user") == []


def test_renaming_requires_the_permission(
    bo: User, acme: Organization, dina: User, as_: SignedIn
) -> None:
    factories.rule(bo, "Viewer", acme.training)
    assert rename(as_(dina), bo, "Mallory").status_code == 403
    assert User.objects.get(pk=bo.pk).display_name == ""


def test_api_creates_and_shows_the_name(browser: Client) -> None:
    body = {"email": "nina@acme.example", "displayName": "Nina Øre"}
    made = browser.post("/api/v1/users", body, content_type="application/json").json()
    assert browser.get(f"/api/v1/users/{made['id']}").json()["displayName"] == "Nina Øre"
