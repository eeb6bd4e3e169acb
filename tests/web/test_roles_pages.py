"""Role pages: the list, permissions, holders, and the comparison of two roles."""

import re
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.catalog import PREDEFINED_ROLES, RESOURCE_TYPES
from accessrules.console.views import roles
from accessrules.models import Role
from runai_access.accounts.models import User
from runai_access.lists.keyset import count_up_to
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, column, text_of

LETTERS = {"r": 0, "u": 1, "c": 2, "d": 3}


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def _matrix(page: HttpResponse) -> list[tuple[str, list[str], list[str]]]:
    """Return the rows of the matrix: entity, texts of its cells, and which are marked."""
    rows = []
    for row in re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</tr>", page.content.decode(), re.DOTALL):
        entity, _, rest = row.partition("</th>")
        cells = re.findall(r'<td class="([^"]*)">(.*?)</td>', rest, re.DOTALL)
        words = [_words(cell) for _, cell in cells]
        marked = [str("matrix-differs" in classes) for classes, _ in cells]
        rows.append((_words(entity), words, marked))
    return rows


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r">\W<", "><", html))).split())


def test_the_list_has_every_predefined_role_with_a_link(browser: Client) -> None:
    page = browser.get("/roles/")
    assert column(page, "role") == sorted(role.name for role in PREDEFINED_ROLES)
    assert 'href="/roles/7/"' in page.content.decode()
    assert column(browser.get("/roles/?role__is=VIEWER"), "role") == ["Viewer"]
    assert column(browser.get("/roles/?assignable__any_of=no"), "role") == [
        "Application administrator", "Cloud operator", "Cloud support",
    ]  # fmt: skip
    assert column(browser.get("/roles/?search=INFERENCE"), "role") == ["ML engineer"]


@pytest.mark.parametrize("role", PREDEFINED_ROLES, ids=lambda role: role.name)
def test_the_matrix_shows_the_permissions_of_the_role(browser: Client, role: Role) -> None:
    """Reads the role data itself, without the code that builds the matrix."""
    expected = {
        RESOURCE_TYPES[type_].name: {LETTERS[letter] for letter in letters}
        for type_, letters in role.permissions.items()
    }
    page = browser.get(f"/roles/{role.id}/")
    for text, words, _ in _matrix(page):
        entity = text.removesuffix(" on the account only")
        name = next(name for name in sorted(_names(), reverse=True) if entity.startswith(name))
        ticks = {place for place, word in enumerate(words) if word == "Yes"}
        if entity == name:
            assert ticks == expected.pop(name, set()), entity
    shared = {entity.split(" cm-")[0] for entity, *_ in _matrix(page)} & set(expected)
    assert set(expected) == shared, "every entity of the role has a row"


def _names() -> set[str]:
    return {type_.name for type_ in RESOURCE_TYPES.values()}


def test_the_matrix_marks_account_only_permissions(browser: Client) -> None:
    for role in ("1", "7"):
        entities = [entity for entity, *_ in _matrix(browser.get(f"/roles/{role}/"))]
        marked = [entity for entity in entities if entity.endswith("on the account only")]
        assert marked == ["Event history on the account only"]


def test_resource_types_with_equal_names_and_permissions_share_a_row(browser: Client) -> None:
    viewer = [entity for entity, *_ in _matrix(browser.get("/roles/7/"))]
    assert viewer.count("Data sources") == 1
    support = [entity for entity, *_ in _matrix(browser.get("/roles/1709/"))]
    assert "Data sources secret-volume-assets" in support
    assert sum(entity.startswith("Data sources") for entity in support) == 2


def test_the_role_page_lists_its_rules(browser: Client, acme: Organization) -> None:
    factories.application("ci", ("Viewer", acme.training))
    text = text_of(browser.get("/roles/7/"))
    assert "Assigned to 1" in text
    assert "ci Application in project training acme / east / vision / training" in text
    assert f"Created by {factories.MAKER}" in text
    assert 'href="/access-rules/?role__any_of=7"' in browser.get("/roles/7/").content.decode()


def test_the_role_page_lists_only_visible_rules(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.application("ours", ("Viewer", acme.training))
    factories.application("theirs", ("Viewer", acme.dictation))
    text = text_of(as_(dina).get("/roles/7/"))
    assert "ours Application in project training" in text
    assert "theirs" not in text
    assert "Not assigned to anyone you can see." in text_of(as_(dina).get("/roles/12/"))


@pytest.mark.parametrize("counted", [2, 10_000])
def test_the_role_page_lists_the_newest_rules(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(roles, "count_up_to", lambda rules: count_up_to(rules, counted))
    monkeypatch.setattr(roles, "MAX_SUBJECTS_SHOWN", 3)
    for number in range(6):
        factories.application(f"app-{number}", ("Viewer", acme.training))
    factories.application("other", ("Editor", acme.training))
    text = text_of(browser.get("/roles/7/"))
    assert re.findall(r"(app-\d|other) Application in", text) == ["app-5", "app-4", "app-3"]


def test_without_reading_rules_the_page_shows_only_permissions(
    acme: Organization, as_: SignedIn
) -> None:
    factories.application("ci", ("Viewer", acme.training))
    factories.custom_role("Role reader", roles="r")
    rita = factories.person("rita@acme.example", "Role reader")
    text = text_of(as_(rita).get("/roles/7/"))
    assert "You need the “View access rules” permission to see this." in text
    assert "ci" not in text.split()


def test_the_cost_of_a_page_does_not_grow_with_the_holders(
    browser: Client, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.application("only", ("Viewer", acme.training))
    # Session, user, rules of the caller, the role, the others, holders, their scopes, the count.
    with django_assert_num_queries(8):
        browser.get("/roles/7/")
    for number in range(30):
        factories.application(f"app-{number}", ("Viewer", acme.training))
    with django_assert_num_queries(8):
        text = text_of(browser.get("/roles/7/"))
    assert text.count("in project training") == 20
    assert "View all 31 in Access rules" in text


def test_the_comparison_describes_the_differences(browser: Client) -> None:
    page = browser.get("/roles/compare/?role=8&role=7")
    rows = {entity: (words, marked) for entity, words, marked in _matrix(page)}
    words, marked = rows["Workspaces"]
    assert words == ["Yes"] * 4 + ["Yes", "No", "No", "No"] + [
        "Only L2 researcher: edit, create, delete"
    ]
    assert marked == ["False", "True", "True", "True"] * 2 + ["False"]
    assert rows["Departments"][0][-1] == "Only Viewer: view"
    assert rows["Projects"][0] == ["Yes", "No", "No", "No"] * 2 + ["Same"]
    text = text_of(page)
    assert "L2 researcher has 12 permissions that Viewer doesn't have." in text
    assert re.search(r"Viewer has \d+ permissions that L2 researcher doesn\'t have\.", text)


def test_only_differences_hides_equal_rows(browser: Client) -> None:
    rows = _matrix(browser.get("/roles/compare/?role=8&role=7&show=differences"))
    assert rows
    assert all(words[-1] != "Same" for _, words, _ in rows)


@pytest.mark.parametrize(
    "query", ["", "role=7", "role=7&role=7", "role=x&role=7", "role=" + "9" * 50]
)
def test_the_comparison_asks_for_two_roles(browser: Client, query: str) -> None:
    page = browser.get(f"/roles/compare/?{query}")
    assert page.status_code == 200
    assert "Select two different roles" in text_of(page)


def test_selected_roles_open_the_comparison_page(browser: Client) -> None:
    answer = browser.get("/roles/bulk/compare/?selected=7&selected=8")
    assert answer.url == "/roles/compare/?role=7&role=8"
    answer = browser.get("/roles/bulk/compare/?selected=7&selected=8", headers=DIALOG)
    assert answer.headers["HX-Redirect"] == "/roles/compare/?role=7&role=8"


def test_a_role_that_does_not_exist_is_not_found(browser: Client) -> None:
    for role_id in (0, 10**9, 10**30):
        assert browser.get(f"/roles/{role_id}/").status_code == 404


def test_who_reads_no_roles_gets_none(vera: User, as_: SignedIn) -> None:
    for path in ("", "7/", "compare/"):
        assert as_(vera).get(f"/roles/{path}").status_code == 403
