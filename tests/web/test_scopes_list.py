"""The list of scopes: filters, sorting, columns and export."""

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accessrules.models import Scope
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import DIALOG, LISTING, Organization, SignedIn, column, text_of

TREE = "/scopes/"
PAGE = "/scopes/list/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def found(browser: Client, **query: object) -> list[str]:
    answer = browser.get(PAGE, query, headers=LISTING)
    answer.content = re.sub(rb"</?mark>", b"", answer.content)
    return column(answer, "scope")


def test_every_visible_scope_is_listed(browser: Client, acme: Organization) -> None:
    answer = browser.get(PAGE)
    assert answer.status_code == 200
    assert column(answer, "scope") == [
        "acme", "dictation", "east", "speech", "training", "vision", "west",
    ]  # fmt: skip
    assert column(answer, "type")[:3] == ["Account", "Project", "Cluster"]
    assert column(answer, "parent")[:3] == ["—", "acme / east / speech", "acme"]
    assert column(answer, "scopes_below")[:3] == ["6", "\u2013", "4"]
    assert "Scopes 7" in text_of(answer)


def test_tree_and_list_link_to_each_other(browser: Client, acme: Organization) -> None:
    for address, other in ((TREE, PAGE), (PAGE, TREE)):
        content = browser.get(address).content.decode()
        assert f'<a href="{address}" aria-current="page">' in content
        assert f'<a href="{other}">' in content


def test_only_visible_scopes_are_listed_counted_and_exported(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.rule(factories.group("ops"), "Viewer", acme.vision)
    factories.rule(factories.group("ops-2"), "Viewer", acme.speech)
    client = as_(dina)
    answer = client.get(PAGE)
    assert column(answer, "scope") == ["training", "vision"]
    assert column(answer, "rules") == ["\u2013", "2"]
    assert column(answer, "parent") == ["acme / east / vision", "acme / east"]
    assert found(client, search="i") == ["training", "vision"]
    assert found(client, search="dictation") == []
    assert _file(client)[1:] == [
        ["training", "Project", "acme / east / vision", "0", "0"],
        ["vision", "Department", "acme / east", "1", "2"],
    ]


def test_the_page_requires_reading_scopes(acme: Organization, as_: SignedIn) -> None:
    otto = factories.person("otto@acme.example")
    assert as_(otto).get(PAGE).status_code == 403


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "TRAIN"}, ["training"]),
        ({"scope__contains": "I"}, ["dictation", "training", "vision"]),
        ({"scope__starts_with": "e"}, ["east"]),
        ({"scope__is": "EAST"}, ["east"]),
        ({"scope__is_not": "east", "type__any_of": "cluster"}, ["west"]),
        ({"type__any_of": ["cluster", "tenant"]}, ["acme", "east", "west"]),
        ({"rules__none": "1", "type__any_of": "project"}, ["dictation"]),
        ({"created_by__is": "terraform"}, ["west"]),
        ({"last_updated__before": "2020-01-01"}, ["speech"]),
        ({"scope__is": "nowhere"}, []),
    ],
)
def test_filters_find_scopes(
    browser: Client, acme: Organization, query: dict[str, Any], expected: list[str]
) -> None:
    factories.rule(factories.group("ops"), "Viewer", acme.training)
    Scope.objects.filter(pk=acme.west.pk).update(created_by="terraform")
    Scope.objects.filter(pk=acme.speech.pk).update(updated_at=datetime(2019, 5, 1, tzinfo=UTC))
    assert found(browser, **query) == expected


def test_the_search_includes_ids(browser: Client, acme: Organization) -> None:
    assert found(browser, search=acme.speech.uid.upper()) == ["speech"]


def test_the_parent_filter_finds_descendants(browser: Client, acme: Organization) -> None:
    assert found(browser, parent__any_of=acme.vision.pk) == ["training"]
    assert found(browser, parent__any_of=[acme.speech.pk, acme.west.pk]) == ["dictation"]
    answer = browser.get(PAGE, {"parent__any_of": acme.east.pk})
    assert "Parent any of east" in text_of(answer)
    chosen = browser.get(f"{PAGE}filter/", {"column": "parent", "find": "VIS"})
    assert "Find a scope" in text_of(chosen)
    assert "acme / east / vision" in text_of(chosen)
    assert "speech" not in text_of(chosen)
    chosen = browser.get(f"{PAGE}filter/", {"column": "parent"})
    assert "training" not in text_of(chosen), "projects have no child scopes"


def test_the_parent_filter_rejects_hidden_scopes(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    answer = as_(dina).get(PAGE, {"parent__any_of": acme.east.pk})
    assert "is not one of the options" in text_of(answer)
    offered = as_(dina).get(f"{PAGE}filter/", {"column": "parent"})
    assert "speech" not in text_of(offered)


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("type", ["acme"]),
        ("-scope", ["west", "vision", "training"]),
        ("scope", ["acme", "dictation", "East"]),
        ("-scopes_below", ["6", "4"]),
        ("-rules", ["training"]),
        ("-id", ["acme"]),
    ],
)
def test_every_column_is_sortable(
    browser: Client, acme: Organization, sort: str, first: list[str]
) -> None:
    for name in ("one", "two"):
        factories.rule(factories.group(name), "Viewer", acme.training)
    Scope.objects.filter(type="tenant").update(uid="zzz")
    Scope.objects.filter(pk=acme.east.pk).update(name="East")
    answer = browser.get(PAGE, {"sort": sort})
    shown = column(answer, "scopes_below" if sort == "-scopes_below" else "scope")
    if sort == "-scopes_below":
        assert shown[:2] == first
    else:
        assert shown[: len(first)] == first
    assert len(shown) == 7


def test_paging_works_when_sorted_by_counts(browser: Client, acme: Organization) -> None:
    for number in range(45):
        made = factories.project(f"p{number:02}", acme.vision)
        if number % 2:
            factories.rule(factories.group(f"g{number}"), "Viewer", made)
    seen: list[str] = []
    answer = browser.get(PAGE, {"sort": "-rules", "size": 20})
    while True:
        seen += column(answer, "scope")
        following = _next(answer)
        if not following:
            break
        answer = browser.get(following)
    assert len(seen) == 52
    assert len(set(seen)) == 52


def test_list_and_tree_share_the_chosen_columns(browser: Client, acme: Organization) -> None:
    chosen = {"shown": ["id", "rules"], "order": ["scope", "id", "rules"]}
    saved = browser.post(f"{PAGE}columns/", {**chosen, "do": "save"}, follow=True)
    assert column(saved, "id")[0] == factories.account().uid
    assert column(saved, "type") == []
    tree = browser.get(TREE)
    assert column(tree, "id") == [
        factories.account().uid, acme.east.uid, acme.speech.uid, acme.vision.uid, acme.west.uid,
    ]  # fmt: skip
    assert column(tree, "type") == []


def test_the_columns_dialog_returns_to_the_tree(browser: Client, acme: Organization) -> None:
    opened = f"{TREE}?open={acme.vision.pk}"
    dialog = browser.get(f"{PAGE}columns/", {"from": opened}, headers=DIALOG)
    assert f'name="from" value="{opened}"' in dialog.content.decode()
    chosen = {"shown": ["type"], "order": ["scope", "type"], "do": "save", "from": opened}
    without_script = browser.post(f"{PAGE}columns/", chosen)
    assert without_script.url == opened
    with_script = browser.post(f"{PAGE}columns/", chosen, headers=DIALOG)
    assert "show-list" not in with_script.headers["HX-Trigger"]
    reset = browser.post(f"{PAGE}columns/", {"do": "reset", "from": opened})
    assert reset.url == opened


def test_the_tree_has_the_toolbar_of_the_list(browser: Client, acme: Organization) -> None:
    content = browser.get(TREE).content.decode()
    for label in ("ADD FILTER", "COLUMNS", "MORE"):
        assert f"<span>{label}</span>" in content
    assert f'href="{PAGE}?sort=rules"' in content
    assert f'href="{PAGE}filter/"' in content
    assert f'href="{PAGE}columns/?from=%2Fscopes%2F"' in content


def test_the_csv_file_has_the_view(browser: Client, acme: Organization) -> None:
    factories.project("=cmd()", acme.vision)
    rows = _file(browser, parent__any_of=acme.vision.pk, columns="scope,id")
    assert rows == [
        ["Scope", "ID"],
        ["'=cmd()", Scope.objects.get(name="=cmd()").uid],
        ["training", acme.training.uid],
    ]


@pytest.mark.parametrize("action", ["rename", "move", "delete"])
def test_dialogs_opened_from_the_list_return_to_it(
    browser: Client, acme: Organization, action: str
) -> None:
    view = f"{PAGE}?sort=-scope"
    chosen = {"action": action, "selected": acme.training.pk, "from": view}
    dialog = browser.get(f"{PAGE}selected/", chosen, follow=True)
    assert dialog.redirect_chain[-1][0].startswith(f"/scopes/{acme.training.pk}/{action}/")
    back = f'href="{PAGE}?sort=-scope&amp;selected={acme.training.pk}"'
    assert back in dialog.content.decode()


def test_a_renamed_scope_is_shown_in_the_list(browser: Client, acme: Organization) -> None:
    answer = browser.post(
        f"/scopes/{acme.training.pk}/rename/", {"name": "serving", "from": f"{PAGE}?sort=scope"}
    )
    changed = f"changed={acme.training.pk}&selected={acme.training.pk}"
    assert answer.url == f"{PAGE}?sort=scope&{changed}"
    assert "serving Changed" in column(browser.get(answer.url), "scope")


def test_each_row_offers_only_allowed_actions(
    browser: Client, dina: User, acme: Organization, as_: SignedIn
) -> None:
    assert _selectable(browser.get(PAGE), acme.vision) == {"delete", "move", "rename"}
    assert _selectable(browser.get(PAGE), acme.east) == {"delete", "rename"}
    assert _selectable(browser.get(PAGE), factories.account()) == set()
    of_dina = as_(dina).get(PAGE)
    assert _selectable(of_dina, acme.vision) == set()
    assert _selectable(of_dina, acme.training) == {"delete", "move", "rename"}


def test_readers_get_no_actions(vera: User, acme: Organization, as_: SignedIn) -> None:
    answer = as_(vera).get(PAGE)
    assert column(answer, "scope") == ["training"]
    for label in ("NEW SCOPE", "RENAME", "MOVE", "DELETE"):
        assert label not in answer.content.decode()


def test_the_history_link_requires_reading_the_audit_log(
    browser: Client, dina: User, acme: Organization, as_: SignedIn
) -> None:
    history = f"/activity/?history__is=department%3A{acme.vision.uid}"
    assert f'href="{history}"' in browser.get(PAGE).content.decode()
    assert "/activity/" not in as_(dina).get(PAGE).content.decode()


def test_the_queries_do_not_grow_with_the_rows(
    browser: Client, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.get(PAGE)
    with django_assert_num_queries(10) as expected:
        browser.get(PAGE)
    for number in range(12):
        made = factories.project(f"p{number}", acme.vision)
        factories.rule(factories.group(f"g{number}"), "Viewer", made)
    with django_assert_num_queries(len(expected)):
        browser.get(PAGE)


def _selectable(response: HttpResponse, scope: Scope) -> set[str]:
    row = response.content.decode().partition(f'id="select-{scope.pk}"')[2].partition(">")[0]
    allowed = row.partition('data-allowed="')[2].partition('"')[0].split()
    return {name for name in allowed if not name.startswith("new-")}


def _next(response: HttpResponse) -> str:
    content = response.content.decode().partition('id="page-next"')[2].partition(">")[0]
    return content.partition('href="')[2].partition('"')[0].replace("&amp;", "&")


def _file(client: Client, **query: object) -> list[list[str]]:
    default = {"columns": "scope,type,parent,scopes_below,rules"}
    answer = client.get(f"{PAGE}scopes.csv", {**default, **query})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))
