"""Pages and API find the same rows for every Unicode spelling of names and search terms."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accessrules.models import AccessRule, Scope
from applications.models import Application, search_text_of
from applications.oauth.tokens import issue
from runai_access.settings import IS_SQLITE
from tests import factories, sizes
from tests.browsers import signed_in
from tests.unicode_examples import SAME
from tests.web.activity import NOON, happened, names
from tests.web.conftest import LISTING, Organization, column, new_organization

pytestmark = pytest.mark.django_db
# Each pair in both directions: one spelling is stored, the other is the search term. Terms and searched
# texts are normalized in Python, so small runs try each pair in one direction, on PostgreSQL every
# third pair.
SPELLINGS = [pair for one, other in SAME for pair in ((one, other), (other, one))]
if not sizes.IS_LARGE:
    SPELLINGS = [SPELLINGS[2 * number + number % 2] for number in range(len(SAME))]
    SPELLINGS = SPELLINGS[:: 1 if IS_SQLITE else 3]
every_spelling = pytest.mark.parametrize(("stored", "term"), SPELLINGS)
# How a creator is compared on a page and in the API. Each spelling is tried in one way.
COMPARISONS = [("is", "=="), ("contains", "=@"), ("starts_with", "=^")]


@pytest.fixture(scope="module")
def acme(rows_of_module: None) -> Organization:
    return new_organization()


@pytest.fixture(scope="module")
def page(rows_of_module: None) -> Client:
    """A browser that requests only the list of a page."""
    ada = factories.person("ada@acme.example", "System administrator")
    return signed_in(ada, headers=LISTING)


@pytest.fixture(scope="module")
def api(rows_of_module: None) -> Client:
    root = factories.application("root", ("System administrator", factories.account()))
    return Client(headers={"Authorization": f"Bearer {issue(root).text}"})


def asked(api: Client, path: str, **parameters: str) -> Any:
    answer = api.get(f"/api/v1/{path}?{urlencode(parameters)}")
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


@every_spelling
def test_scopes_are_found(
    page: Client, api: Client, acme: Organization, stored: str, term: str
) -> None:
    scope = factories.project(f"x {stored} y", acme.vision)
    factories.project("another", acme.vision)
    shown = column(page.get("/scopes/list/", {"search": term}), "scope")
    filtered = column(page.get("/scopes/list/", {"scope__contains": term}), "scope")
    exactly = column(page.get("/scopes/list/", {"scope__is": f"x {term} y"}), "scope")
    assert len(shown) == len(filtered) == len(exactly) == 1
    for asking in (
        {"search": term},
        {"filterBy": f"name=@{term}"},
        {"filterBy": f"name==x {term} y"},
        {"filterBy": f"name=^x {term}"},
        {"filterBy": f"name=${term} y"},
    ):
        answer = asked(api, "org-unit/projects", **asking)
        assert [project["id"] for project in answer["projects"]] == [scope.uid], asking
    others = asked(api, "org-unit/projects", filterBy=f"name!@{term}")["projects"]
    assert {project["name"] for project in others} == {"another", "training", "dictation"}


@every_spelling
def test_rules_of_groups_are_found(
    page: Client, api: Client, acme: Organization, stored: str, term: str
) -> None:
    rule = factories.rule(factories.group(stored), "Viewer", acme.training)
    factories.rule(factories.group("another"), "Viewer", acme.training)
    for query in ({"search": term}, {"subject__contains": term}, {"subject__is": term}):
        assert len(column(page.get("/access-rules/", query), "subject")) == 1, query
    for asking in (
        {"search": term},
        {"filterBy": f"subjectId=={term}"},
        {"subjectIds": f"nobody,{term}"},
        {"subjectIdFilter": term},
    ):
        answer = asked(api, "authorization/access-rules", **asking)
        assert [found["id"] for found in answer["accessRules"]] == [rule.pk], asking


@every_spelling
def test_users_and_the_rows_they_created_are_found(
    page: Client, api: Client, acme: Organization, stored: str, term: str
) -> None:
    email, typed = f"rosa@{stored}.example", f"rosa@{term}.example"
    factories.person(email)
    factories.person("another@acme.example")
    application = factories.application("nightly")
    application.created_by = email
    application.search_text = search_text_of("nightly", email)
    application.save()
    rule = factories.rule(application, "Viewer", acme.training)
    for created in (Scope.objects.filter(pk=acme.speech.pk), AccessRule.objects.filter(pk=rule.pk)):
        created.update(created_by=email)
    for query in ({"search": typed}, {"user__is": typed}):
        assert len(column(page.get("/users/", query), "user")) == 1, query
    for asking in ({"search": typed}, {"filterBy": f"username=={typed}"}):
        assert [user["username"] for user in asked(api, "users", **asking)] == [email]
    operator, sign = COMPARISONS[SPELLINGS.index((stored, term)) % len(COMPARISONS)]
    for path, lists, about in (
        ("/applications/", "apps", "created_by"),
        ("/scopes/list/", "org-unit/departments", "created_by"),
        ("/access-rules/", "authorization/access-rules", "authorized_by"),
    ):
        shown = column(page.get(path, {f"{about}__{operator}": typed}), about)
        answer = asked(api, lists, filterBy=f"createdBy{sign}{typed}")
        rows = answer if isinstance(answer, list) else answer.get("departments")
        rows = answer["accessRules"] if rows is None else rows
        assert len(shown) == len(rows) == 1, (path, operator)
    assert column(page.get("/applications/", {"search": typed}), "application") == ["nightly"]


@every_spelling
def test_events_are_found(page: Client, api: Client, stored: str, term: str) -> None:
    happened(f"x {stored} y")
    happened("another")
    assert len(names(page.get("/activity/", {"search": term}))) == 1
    period = {"start": NOON.isoformat(), "end": NOON.isoformat()}
    for asking in ({"search": term}, {"filterBy": f"entity_name=@{term}"}):
        answer = asked(api, "audit/log", **period, **asking)
        assert [event["entity_name"] for event in answer["audit_logs"]] == [f"x {stored} y"]


@pytest.mark.parametrize("term", ["\u200bnightly", "night\u200bly\u2060", " \ufeff nightly \u200b"])
def test_invisible_characters_in_a_search_are_ignored(page: Client, api: Client, term: str) -> None:
    factories.application("nightly")
    factories.application("another")
    found = column(page.get("/applications/", {"search": term}), "application")
    assert found == ["nightly"]
    assert [app["name"] for app in asked(api, "apps", search=term)] == found


def test_search_for_only_invisible_characters_returns_all_rows(page: Client, api: Client) -> None:
    everything = len(column(page.get("/applications/"), "application"))
    shown = column(page.get("/applications/", {"search": "\u200b"}), "application")
    assert len(shown) == len(asked(api, "apps", search="\u200b")) == everything == 1


def test_search_handles_many_different_capitals(
    page: Client, api: Client, acme: Organization
) -> None:
    capitals = "".join(map(chr, range(0x0410, 0x0430))) + "".join(map(chr, range(0x0391, 0x03A2)))
    scope = factories.project(capitals.lower(), acme.vision)
    answer = asked(api, "org-unit/projects", search=capitals)
    assert [project["id"] for project in answer["projects"]] == [scope.uid]
    assert len(column(page.get("/scopes/list/", {"search": capitals}), "scope")) == 1


def test_search_term_that_normalizes_to_more_than_8000_characters_fails(api: Client) -> None:
    # The normalized form of this ligature has 18 letters.
    answer = api.get(f"/api/v1/apps?{urlencode({'search': chr(0xFDFA) * 1000})}")
    assert answer.status_code == 400
    assert "search must have at most 8000 characters" in answer.json()["details"]


def test_longest_search_term_of_a_page_is_accepted(page: Client) -> None:
    for path in ("/applications/", "/users/", "/access-rules/", "/scopes/list/", "/activity/"):
        assert page.get(path, {"search": chr(0xFDFA) * 200}).status_code == 200


def test_matches_are_highlighted_in_every_spelling(page: Client, acme: Organization) -> None:
    factories.project("Zürich", acme.vision)
    content = page.get("/scopes/list/", {"search": "zu\u0308RI"}).content.decode()
    assert "<mark>Züri</mark>ch" in content


def test_application_names_need_no_normalization() -> None:
    # Their pattern allows lower-case ASCII only, so equal names are the same text.
    application = factories.application("nightly")
    assert Application.objects.get(pk=application.pk).subject.normalized_name == "nightly"
