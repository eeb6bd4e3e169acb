"""The Scopes page: the visible tree, opened as the URL describes."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accessrules.console.pickers import scope_tree
from accessrules.models import Scope
from accessrules.scope_import import readers
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import LISTING, Organization, SignedIn, text_of

PAGE = "/scopes/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def rows(response: HttpResponse) -> list[str]:
    """Return the text of each row of the tree, without its toggle."""
    found = re.findall(r'<tr role="row"[^>]*>(.*?)</tr>', response.content.decode(), re.DOTALL)
    found = [re.sub(r"</?mark>", "", row).replace("\u2013", "-") for row in found]
    texts = [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in found]
    return [text.partition(" maker@")[0].partition(" system ")[0] for text in texts[1:]]


def names(response: HttpResponse) -> list[str]:
    """Return the names in the tree, each with its level."""
    found = re.findall(
        r'class="level-(\d)[^>]*>.*?class="clip[^>]*>(.*?)</(?:a|span)>',
        response.content.decode(),
        re.DOTALL,
    )
    return [f"{level} {unescape(re.sub('<[^>]+>', '', name)).strip()}" for level, name in found]


def offered(response: HttpResponse, scope: Scope) -> set[str]:
    """Return the actions that the toolbar and the menu show for a scope."""
    box = re.search(rf'id="select-{scope.pk}" data-allowed="([^"]*)"', response.content.decode())
    assert box, f"{scope} has no box"
    return set(box[1].split())


def test_account_and_clusters_are_open_with_counts(browser: Client, acme: Organization) -> None:
    factories.rule(factories.group("ops"), "Viewer", acme.east)
    factories.rule(factories.group("dev"), "Viewer", acme.east)
    answer = browser.get(PAGE)
    assert answer.status_code == 200
    assert rows(answer) == [
        "acme Account 6 1",
        "east Cluster 4 2",
        "speech Department 1 -",
        "vision Department 1 -",
        "west Cluster - -",
    ]
    assert "Scopes 7" in text_of(answer)


def test_the_url_has_the_open_branches(browser: Client, acme: Organization) -> None:
    opened = browser.get(PAGE, {"open": acme.vision.pk})
    assert names(opened) == ["1 acme", "2 east", "3 speech", "3 vision", "4 training", "2 west"]
    closed = browser.get(PAGE, {"open": acme.vision.pk, "toggle": f"-{acme.east.pk}"})
    assert names(closed) == ["1 acme", "2 east", "2 west"]


def test_toggling_updates_the_url(browser: Client, acme: Organization) -> None:
    answer = browser.get(PAGE, {"toggle": acme.vision.pk}, headers=LISTING)
    assert answer.headers["HX-Replace-Url"] == f"{PAGE}?open={acme.vision.pk}"
    assert f'data-listing="{PAGE}?open={acme.vision.pk}"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "HX-Replace-Url" not in browser.get(PAGE, {"search": "x"}, headers=LISTING).headers


@pytest.mark.parametrize(
    "query",
    ["open=x", "toggle=-", "at=1", "turn=9-9", "selected=\x00", "changed=-1", "at=1-" + "9" * 30],
)
def test_invalid_url_parameters_are_ignored(
    browser: Client, acme: Organization, query: str
) -> None:
    assert names(browser.get(f"{PAGE}?{query}"))[0] == "1 acme"


def test_a_search_covers_the_whole_tree_and_shows_full_names(
    browser: Client, acme: Organization
) -> None:
    answer = browser.get(PAGE, {"search": "TRAIN"})
    assert rows(answer) == ["training acme / east / vision / training Project - -"]
    assert "<mark>train</mark>ing" in answer.content.decode()
    nothing = browser.get(PAGE, {"search": "<nowhere>", "open": acme.vision.pk})
    assert "No results for “<nowhere>” Searched the names of the scopes you can see." in text_of(
        nothing
    )
    assert f'href="{PAGE}?open={acme.vision.pk}"' in nothing.content.decode()


def test_only_visible_scopes_are_shown_counted_and_found(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.rule(factories.group("ops"), "Viewer", acme.vision)
    client = as_(dina)
    answer = client.get(PAGE)
    assert names(answer) == ["1 acme", "2 east", "3 vision", "4 training"]
    assert "vision Department 1 2" in rows(answer)
    assert "acme Account You can't see this scope, only some scopes in it." in rows(answer)
    assert "Scopes 2" in text_of(answer)
    assert rows(client.get(PAGE, {"search": "i"})) == [
        "vision acme / east / vision Department 1 2",
        "training acme / east / vision / training Project - -",
    ]


def test_hidden_ancestors_of_visible_projects_are_shown_as_path(
    acme: Organization, as_: SignedIn
) -> None:
    lea = factories.person("lea@acme.example", "L1 researcher")
    factories.department("empty", acme.east)
    client = as_(lea)
    answer = client.get(PAGE, {"open": acme.vision.pk})
    assert names(answer) == [
        "1 acme", "2 east", "3 speech", "3 vision", "4 training", "2 west",
    ]  # fmt: skip
    assert "vision Department You can't see this scope, only some scopes in it." in rows(answer)


def test_the_page_requires_reading_scopes(acme: Organization, as_: SignedIn) -> None:
    otto = factories.person("otto@acme.example")
    for address in (PAGE, "/scopes/scopes.csv", "/scopes/selected/"):
        assert as_(otto).get(address).status_code == 403


@pytest.mark.parametrize("part", ["", "listing"])
def test_a_scope_offers_only_allowed_actions(
    browser: Client, dina: User, vera: User, acme: Organization, as_: SignedIn, part: str
) -> None:
    headers = LISTING if part else {}
    query = {"open": acme.vision.pk}
    mine = browser.get(PAGE, query, headers=headers)
    assert offered(mine, factories.account()) == {"new-cluster"}
    # There is only one account, so a cluster can't move.
    assert offered(mine, acme.east) == {"new-department", "rename", "delete"}
    assert offered(mine, acme.vision) == {"new-project", "rename", "move", "delete"}
    assert offered(mine, acme.training) == {"rename", "move", "delete"}
    of_dina = as_(dina).get(PAGE, query, headers=headers)
    assert offered(of_dina, acme.vision) == {"new-project"}
    assert offered(of_dina, acme.training) == {"rename", "move", "delete"}
    assert "NEW CLUSTER" not in of_dina.content.decode()
    rita = factories.person("rita@acme.example", "Research manager", acme.training)
    of_one_project = as_(rita).get(PAGE, query, headers=headers)
    assert offered(of_one_project, acme.training) == {"rename", "delete"}
    of_vera = as_(vera).get(PAGE, query, headers=headers)
    assert offered(of_vera, acme.training) == set()
    for label in ("NEW SCOPE", "RENAME", "MOVE", "DELETE"):
        assert label not in of_vera.content.decode()


def test_a_branch_with_many_scopes_has_pages(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope_tree, "SHOWN", 3)
    for number in range(7):
        factories.project(f"p{number}", acme.vision)
    query = {"open": acme.vision.pk}
    first = browser.get(PAGE, query)
    assert [name for name in names(first) if name[0] == "4"] == ["4 p0", "4 p1", "4 p2"]
    assert "1-3 of 8 in vision Next" in rows(first)
    second = browser.get(PAGE, {**query, "turn": f"{acme.vision.pk}-1"}, headers=LISTING)
    assert "4-6 of 8 in vision Previous Next" in rows(second)
    address = second.headers["HX-Replace-Url"]
    assert address == f"{PAGE}?open={acme.vision.pk}&at={acme.vision.pk}-1"
    assert "4-6 of 8 in vision Previous Next" in rows(browser.get(address))
    last = browser.get(f"{address}&turn={acme.vision.pk}-2")
    assert "7-8 of 8 in vision Previous" in rows(last)
    too_far = browser.get(f"{PAGE}?open={acme.vision.pk}&at={acme.vision.pk}-99")
    assert "1-3 of 8 in vision Next" in rows(too_far)


def test_a_search_shows_the_first_results_and_counts_the_rest(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope_tree, "SHOWN", 3)
    for number in range(7):
        factories.project(f"p{number}", acme.vision)
    answer = browser.get(PAGE, {"search": "P"})
    assert [name.split()[1] for name in names(answer)] == ["speech", "p0", "p1"]
    assert "and 5 more. Enter more of the name." in rows(answer)


@pytest.mark.parametrize("name", ["changed", "selected"])
def test_a_changed_or_selected_scope_is_always_shown(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(scope_tree, "SHOWN", 3)
    made = [factories.project(f"p{number}", acme.vision) for number in range(7)]
    answer = browser.get(PAGE, {name: made[5].pk})
    assert [name_ for name_ in names(answer) if name_[0] == "4"] == ["4 p3", "4 p4", "4 p5"]
    content = answer.content.decode()
    assert (content.count("badge-changed") == 1) == (name == "changed")
    assert (
        f'id="select-{made[5].pk}" data-allowed="delete move rename" aria-label="p5" checked'
        in content
    ) == (name == "selected")


def test_a_hidden_scope_is_not_shown_by_its_id(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    answer = as_(dina).get(PAGE, {"changed": acme.dictation.pk, "open": acme.speech.pk})
    assert "dictation" not in answer.content.decode()
    assert "speech" not in answer.content.decode()


def test_the_queries_do_not_grow_with_the_rows_of_a_branch(
    browser: Client, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    query = {"open": acme.vision.pk}
    browser.get(PAGE, query)
    with django_assert_num_queries(15) as expected:
        browser.get(PAGE, query)
    for number in range(40):
        made = factories.project(f"p{number}", acme.vision)
        factories.rule(factories.group(f"g{number}"), "Viewer", made)
    with django_assert_num_queries(len(expected)):
        browser.get(PAGE, query)
    for number in range(60):
        factories.project(f"q{number}", acme.vision)
    with django_assert_num_queries(len(expected) + 1):  # the total
        browser.get(PAGE, query)


def test_the_csv_file_can_be_imported(
    browser: Client, dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.project("=cmd()", acme.vision)

    def file_of(client: Client) -> list[dict[str, str]]:
        answer = client.get("/scopes/scopes.csv")
        assert 'filename="scopes.csv"' in answer.headers["Content-Disposition"]
        data = b"".join(answer.streaming_content)
        contents = readers.read(io.BytesIO(data), "csv")
        assert contents.faults == []
        assert b"'=cmd()" in data
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))

    mine = file_of(browser)
    assert [row["name"] for row in mine] == [
        "east", "speech", "dictation", "vision", "'=cmd()", "training", "west",
    ]  # fmt: skip
    assert [row["name"] for row in file_of(as_(dina))] == ["vision", "'=cmd()", "training"]


def test_an_account_without_clusters_shows_a_hint(browser: Client) -> None:
    answer = browser.get(PAGE)
    assert "No clusters yet." in text_of(answer)
    assert "NEW SCOPE" in text_of(answer)


@pytest.mark.parametrize(
    ("action", "leads_to"),
    [
        ("rename", "/scopes/{pk}/rename/"),
        ("move", "/scopes/{pk}/move/"),
        ("delete", "/scopes/{pk}/delete/"),
        ("new-project", "/scopes/new/?scope={pk}"),
    ],
)
def test_the_toolbar_opens_the_dialog_of_the_selected_scope(
    browser: Client, acme: Organization, action: str, leads_to: str
) -> None:
    answer = browser.get("/scopes/selected/", {"action": action, "selected": acme.vision.pk})
    assert answer.url == leads_to.format(pk=acme.vision.pk)


@pytest.mark.parametrize("query", [{}, {"action": "rename"}, {"action": "x", "selected": "1"}])
def test_without_a_selection_the_toolbar_redirects_back(
    browser: Client, acme: Organization, query: dict[str, Any]
) -> None:
    answer = browser.get("/scopes/selected/", query, follow=True)
    assert answer.redirect_chain[-1][0] == PAGE
    assert "Select a scope first." in text_of(answer)
