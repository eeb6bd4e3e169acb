"""The detail page of an application, and the scope picker."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accessrules.console.pickers import scope_tree
from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import SECRET, Organization, SignedIn, submission_in, text_of

pytestmark = pytest.mark.any_database


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training), ("L1 researcher", acme.west))


def test_page_shows_details_rules_and_token_examples(browser: Client, ci: Application) -> None:
    text = text_of(browser.get(ci.get_absolute_url()))
    assert f"ID {ci.pk}" in text
    assert "acme / east / vision / training" in text
    assert f"Created by {factories.MAKER}" in text
    assert '--user "ci:$CLIENT_SECRET"' in text
    assert 'client_id="ci"' in text
    assert 'auth=("ci", os.environ["CLIENT_SECRET"])' in text


def test_recent_activity_is_for_administrators_and_has_no_secret(
    browser: Client, dina: User, ci: Application, as_: SignedIn
) -> None:
    url = reverse("applications:regenerate", args=[ci.pk])
    browser.post(url, {"submission": submission_in(browser.get(url))})
    page = browser.get(ci.get_absolute_url())
    assert "ada@acme.example changed application ci" in text_of(page)
    assert "client secret: previous → regenerated" in text_of(page)
    assert SECRET.search(page.content.decode()) is None
    theirs = text_of(as_(dina).get(ci.get_absolute_url()))
    assert "Recent activity" not in theirs
    assert "L1 researcher" not in theirs
    assert "Viewer in project training" in theirs


def test_invisible_application_is_not_found(dina: User, acme: Organization, as_: SignedIn) -> None:
    other = factories.application("other", ("Viewer", acme.dictation))
    assert as_(dina).get(other.get_absolute_url()).status_code == 404


def test_query_count_is_fixed(
    browser: Client,
    acme: Organization,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    scopes = [factories.project(f"p{number}", acme.vision) for number in range(20)]
    busy = factories.application("busy", *[("Viewer", scope) for scope in scopes])
    with django_assert_max_num_queries(15):
        browser.get(busy.get_absolute_url())


def _add(browser: Client, application: Application, **fields: object) -> str:
    url = f"{reverse('applications:access-rules', args=[application.pk])}?add"
    answer = browser.post(url, fields) if fields else browser.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_branches_load_when_opened(browser: Client, ci: Application, acme: Organization) -> None:
    training = f'id="scope-{acme.training.pk}"'
    role = str(factories.role("Viewer").pk)
    assert training not in _add(browser, ci)
    opened = _add(browser, ci, toggle=acme.vision.pk, role=role)
    assert training in opened
    assert f'<input type="hidden" name="open" value="{acme.vision.pk}">' in opened
    assert f'value="{role}" title=' in opened
    assert " selected>Viewer" in opened, "the choice is kept"
    assert training not in _add(browser, ci, open=acme.vision.pk, toggle=f"-{acme.vision.pk}")


def test_search_shows_the_full_path_of_scopes(
    browser: Client, ci: Application, acme: Organization
) -> None:
    content = _add(browser, ci, find="TRAIN", do="refresh")
    assert "acme / east / vision / training" in content
    assert f'id="scope-{acme.east.pk}"' not in content


def test_hidden_choice_is_kept(browser: Client, ci: Application, acme: Organization) -> None:
    content = _add(browser, ci, find="dict", do="refresh", scope=acme.training.pk)
    assert f'<input type="hidden" name="scope" value="{acme.training.pk}">' in content
    assert "Chosen: acme / east / vision / training" in content


def test_long_branch_is_truncated_with_a_count(
    browser: Client, ci: Application, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope_tree, "SHOWN", 3)
    for number in range(5):
        factories.project(f"p{number}", acme.speech)
    content = _add(browser, ci, toggle=acme.speech.pk)
    assert "and 3 more. Search by name" in content
    assert "and 3 more. Enter more of the name." in _add(browser, ci, find="p", do="refresh", x="")


def test_only_grantable_scopes_and_roles_are_offered(
    dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.rule(dina, "Viewer", acme.west)
    content = _add(as_(dina), ci, find="a", do="refresh")
    assert f'id="scope-{acme.west.pk}"' not in content
    chosen = _add(as_(dina), ci, scope=acme.training.pk, do="refresh")
    assert "System administrator</option>" not in chosen
    assert "Viewer</option>" in chosen


@pytest.mark.parametrize("text", ["x", "-", "9" * 30, "\u0663", "-x", "\x00"])
def test_invalid_branch_opens_nothing(browser: Client, ci: Application, text: str) -> None:
    _add(browser, ci, toggle=text, scope=text, open=text, closed=text, find=text)
