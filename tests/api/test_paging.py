"""Pages of the API's lists: cursors, totals, and searches that stop before they are complete."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.authorization.authority import authority_of
from accessrules.filters import search
from accessrules.filters.rules import name_sort
from accessrules.filters.search import visible_groups
from accessrules.models import AccessRule, Scope
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.api import paging
from runai_access.audit.models import AuditEvent
from runai_access.db.bigrams import FUNCTION
from runai_access.lists import keyset, selection, sorts
from tests import factories
from tests.api.conftest import As
from tests.strategies import STRATEGIES, force

pytestmark = pytest.mark.django_db
APPS = "/api/v1/apps"
RULES = "/api/v1/authorization/access-rules"
OFFSET = re.compile(r"OFFSET (\d+)")
# The condition for the rows of one group of a sort.
ONE_GROUP = re.compile(r'"(?:role_name|scope_name|scope_id)"(?: COLLATE "C")? = (\d+|\'[^\']+\')')
LOG = "/api/v1/audit/log?start=2026-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"


@pytest.fixture
def client(administrator: Application, as_: As) -> Client:
    return as_(administrator)


def next_url(answer: Any) -> str | None:
    found = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
    return found[1].removeprefix(settings.PUBLIC_URL) if found else None


def pages(client: Client, url: str) -> Iterator[Any]:
    """Follow the `next` links."""
    while True:
        answer = client.get(url)
        assert answer.status_code == 200, answer.json()
        yield answer
        following = next_url(answer)
        if following is None:
            return
        url = following


@pytest.mark.parametrize("sort", ["", "&sortBy=createdAt&sortOrder=desc", "&sortBy=lastLogin"])
def test_a_client_that_deletes_while_it_follows_next_skips_no_row(
    client: Client, sort: str
) -> None:
    for number in range(12):
        factories.application(f"old-{number:02}")
    deleted = []
    for page in pages(client, f"{APPS}?filterBy=name=^old-&limit=5{sort}"):
        for row in page.json():
            assert client.delete(f"{APPS}/{row['id']}").status_code == 204
            deleted.append(row["name"])
    assert sorted(deleted) == [f"old-{number:02}" for number in range(12)]


def test_rows_without_a_value_come_last_in_both_directions_and_on_one_page_each(
    client: Client,
) -> None:
    factories.many_applications(7)
    Application.objects.filter(subject__name__endswith="3").update(
        last_login=factories.account().created_at
    )
    everything = {row["name"] for row in client.get(APPS).json()}
    for direction in ("asc", "desc"):
        url = f"{APPS}?sortBy=lastLogin&sortOrder={direction}&limit=2"
        rows = [row for page in pages(client, url) for row in page.json()]
        assert [row["name"] for row in rows if row["lastLogin"]] == [
            row["name"] for row in rows[: sum(row["lastLogin"] is not None for row in rows)]
        ]
        assert len(rows) == len(everything)
        assert {row["name"] for row in rows} == everything


@pytest.fixture
def _tests_seven_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each page scan the list's index, at most seven rows of it."""
    force("incomplete", monkeypatch, limit=7)


@pytest.mark.usefixtures("_tests_seven_rows")
@pytest.mark.parametrize(
    "query", ["search=zoe", "filterBy=createdBy==zoe,name=@a", "search=zoe&sortBy=createdAt"]
)
def test_a_page_that_stops_early_says_so_and_the_next_continues(client: Client, query: str) -> None:
    for number, application in enumerate(factories.many_applications(40)):
        if number in (1, 20, 39):
            text = application.search_text.splitlines()[0]
            Application.objects.filter(pk=application.pk).update(
                created_by="zoe", search_text=f"{text}\nzoe\n"
            )
    found: list[str] = []
    incomplete = 0
    for page in pages(client, f"{APPS}?{query}&limit=3"):
        found += [row["name"] for row in page.json()]
        if page.headers.get("X-Search-Incomplete") == "true":
            incomplete += 1
            assert len(page.json()) < 3
            assert next_url(page)
    assert len(found) == len(set(found)) == 3
    assert incomplete


def test_a_page_of_the_audit_log_that_stops_early_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("incomplete", monkeypatch, limit=5)
    for number in range(23):
        name = "wanted" if number in (0, 11, 22) else f"other-{number}"
        AuditEvent.objects.create(action="create", entity_name=name, result="Succeeded")
    answers = list(pages(client, f"{LOG}&filterBy=entity_name==wanted&limit=2"))
    found = [row for answer in answers for row in answer.json()["audit_logs"]]
    assert [row["entity_name"] for row in found] == ["wanted"] * 3
    assert any(answer.headers.get("X-Search-Incomplete") for answer in answers)
    assert "X-Search-Incomplete" not in answers[-1].headers
    for answer in answers[:-1]:
        # A client that pages up to the total goes on.
        assert int(answer.headers["X-Total-Count-At-Least"]) > len(answer.json()["audit_logs"])


def test_without_a_filter_the_total_is_exact(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "COUNTED", 3)
    factories.many_applications(30)
    for number in range(5):
        factories.person(f"user-{number}@acme.example")
    for path, rows in ((APPS, Application.objects), ("/api/v1/users", User.objects)):
        answer = client.get(f"{path}?limit=2")
        assert answer.headers["X-Total-Count"] == str(rows.count())


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("cursor=nothing", "cursor must be copied from a Link header"),
        ("cursor=", "cursor must be copied from a Link header"),
        ("cursor=WyJhIiwgImIiXQ&sortBy=createdAt", "cursor must be copied from a Link header"),
        ("cursor=WyJhIiwgImIiXQ&offset=1", "cursor can't be combined with offset"),
    ],
)
def test_an_unusable_cursor_is_refused(client: Client, query: str, message: str) -> None:
    answer = client.get(f"{APPS}?{query}")
    assert answer.status_code == 400
    assert answer.json()["details"].startswith(message)


def test_the_total_of_access_rules_is_exact_beyond_the_counted_rows(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "COUNTED", 3)
    monkeypatch.setattr(selection, "COUNTED", 3)
    factories.many_applications(9, ("Viewer", factories.cluster("east")))
    answer = client.get(f"{RULES}?filterBy=roleName==viewer&limit=2")
    assert answer.json()["totalRecords"] == 9
    assert answer.headers["X-Total-Count"] == "9"


def test_all_matches_that_an_index_has_are_counted_before_a_deep_offset(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (keyset, selection, paging):
        monkeypatch.setattr(module, "MAX_SCANNED", 2)
    monkeypatch.setattr(selection, "COUNTED", 3)
    names = sorted(one.name for one in factories.many_applications(9))
    assert client.get(f"{APPS}?search=many&limit=2").headers["X-Total-Count-At-Least"] == "3"
    for offset in (3, 5, 8, 9, 20):
        answer = client.get(f"{APPS}?search=many&limit=2&offset={offset}")
        assert [one["name"] for one in answer.json()] == names[offset : offset + 2]
        assert answer.headers["X-Total-Count"] == "9"
    beyond = statements(client, f"{APPS}?search=many&limit=2&offset=20")
    assert [sql for sql in beyond if "OFFSET 20" in sql] == []


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("name", ["scopeId", "scopeType", "scopeName", "roleName"])
@pytest.mark.parametrize(("most", "single"), [(1, 1), (50, 3)])
def test_values_that_only_roles_and_scopes_have_sort_rules_by_cursor_and_offset(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    direction: str,
    most: int,
    single: int,
) -> None:
    monkeypatch.setattr(sorts, "_MAX_INDEXED_GROUP", most)
    monkeypatch.setattr(sorts, "_MAX_SINGLE_GROUPS", single)
    monkeypatch.setattr(sorts, "_MAX_SORTED_GROUPS", 3)
    monkeypatch.setattr(keyset, "MAX_SCANNED", 0)
    cluster = factories.cluster("Beta")
    department = factories.department("alpha", cluster)
    places = [
        cluster,
        department,
        *(factories.project(text, department) for text in ("a", "B", "b c", "A b")),
    ]
    for number, place in enumerate(places):
        for role in ("Viewer", "ML engineer")[: 1 + number % 2]:
            factories.rule(factories.group(f"{number} {role}"), role, place)
    url = f"{RULES}?sortBy={name}&sortOrder={direction}"
    rules = client.get(f"{url}&limit=500").json()["accessRules"]
    assert len(rules) == 10
    ties = ("scopeId", "id") if name == "scopeType" else ("id",)
    keys = [(rule[name].lower(), *(rule[tie] for tie in ties)) for rule in rules]
    assert keys == sorted(keys, reverse=direction == "desc")
    by_cursor = [
        rule for page in pages(client, f"{url}&limit=3") for rule in page.json()["accessRules"]
    ]
    assert by_cursor == rules
    for offset in range(len(rules) + 1):
        found = client.get(f"{url}&limit=4&offset={offset}").json()["accessRules"]
        assert found == rules[offset : offset + 4]


def statements(client: Client, url: str) -> list[str]:
    """Return the SQL of a request for access rules."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return [one["sql"] for one in queries if "accessrules_accessrule" in one["sql"]]


@pytest.mark.parametrize("deleted", ["false", "true"])
def test_offset_in_the_second_half_is_read_from_the_end(
    client: Client, deleted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runai_access.api.paging.MAX_SCANNED", 0)
    factories.many_applications(9, ("Viewer", factories.cluster("east")))
    AccessRule.objects.filter(pk=AccessRule.objects.latest("pk").pk).update(
        deleted_at=timezone.now()
    )
    url = f"{RULES}?includeDeleted={deleted}"
    rules = client.get(url).json()["accessRules"]
    for offset in (len(rules) - 4, len(rules) - 1, len(rules), len(rules) + 1):
        page = f"{url}&limit=3&offset={offset}"
        answer = client.get(page)
        assert answer.json()["accessRules"] == rules[offset : offset + 3]
        assert (next_url(answer) is not None) == (offset + 3 < len(rules))
        passed = [int(one) for sql in statements(client, page) for one in OFFSET.findall(sql)]
        assert max(passed, default=0) <= 1


def test_scopes_with_few_rules_are_read_together(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorts, "_MAX_SINGLE_GROUPS", 2)
    cluster = factories.cluster("east")
    url = f"{RULES}?sortBy=scopeName&limit=500"
    for number in range(6):
        place = factories.department(f"team-{number}", cluster)
        factories.rule(factories.group(f"group-{number}"), "Viewer", place)
    few = statements(client, url)
    for number in range(6, 20):
        place = factories.department(f"team-{number}", cluster)
        factories.rule(factories.group(f"group-{number}"), "Viewer", place)
    assert len(statements(client, url)) == len(few)
    assert client.get(url).json()["displayRecords"] == 21


@pytest.mark.parametrize(
    ("name", "column"), [("createdBy", "created_by"), ("subjectType", "subject_type")]
)
def test_page_after_a_value_of_most_rules_starts_at_the_cursor(
    client: Client, name: str, column: str
) -> None:
    factories.many_applications(4, ("Viewer", factories.cluster("east")))
    url = next_url(client.get(f"{RULES}?sortBy={name}&limit=2"))
    assert url
    *_, page = (sql for sql in statements(client, url) if "ORDER BY" in sql)
    after = page[page.index(" IN (SELECT ") :]
    assert re.search(rf'"{column}"( COLLATE "C")? = .*"id" > \d+', after)
    assert ">=" not in after


def test_a_deep_offset_in_the_rules_of_a_scope_type_passes_those_of_one_scope(
    client: Client,
) -> None:
    cluster = factories.cluster("east")
    for name in ("a", "b", "c"):
        factories.many_applications(4, ("Viewer", factories.department(name, cluster)))
    url = f"{RULES}?sortBy=scopeType&limit=1&offset=5"
    rule = client.get(url).json()["accessRules"][0]
    assert rule["scopeType"] == "department"
    (page,) = (sql for sql in statements(client, url) if "OFFSET" in sql and '"scope_id" =' in sql)
    assert page.rpartition("OFFSET")[2].split(")")[0].strip() == "1"


@pytest.mark.parametrize("sort", ["roleId", "roleName", "scopeId", "scopeType", "scopeName"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_groups_that_a_filter_excludes_are_not_read(
    client: Client, monkeypatch: pytest.MonkeyPatch, sort: str, direction: str
) -> None:
    force("scan", monkeypatch)
    cluster = factories.cluster("east")
    for name in ("a", "b", "c"):
        place = factories.department(name, cluster)
        for role in ("Viewer", "Editor", "ML engineer"):
            factories.rule(factories.group(f"{name} {role}"), role, place)
    conditions = "roleName==editor,scopeName==b"
    url = f"{RULES}?filterBy={conditions}&sortBy={sort}&sortOrder={direction}&limit=2"
    (rule,) = client.get(url).json()["accessRules"]
    assert (rule["roleName"], rule["scopeName"]) == ("Editor", "b")
    read = [value for sql in statements(client, url) for value in ONE_GROUP.findall(sql)]
    assert len(set(read)) == 1


def test_renamed_scope_keeps_its_rules_in_the_order_of_names() -> None:
    cluster = factories.cluster("east")
    lead = factories.application("lead", ("Department administrator", cluster))
    visible = visible_groups(authority_of(lead.subject), "scope")
    Scope.objects.filter(pk=cluster.pk).update(name="West")
    groups = name_sort("scope", Scope).groups
    assert groups
    assert replace(groups, visible=visible).in_order(False) == [("west", ["West"])]


@pytest.mark.parametrize("sort", ["scopeName", "createdAt"])
def test_few_rules_among_many_are_found_once_for_the_total_and_the_page(
    client: Client, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    for most in ("MAX_SORTED_CANDIDATES", "COUNTED"):  # less than one filter matches
        monkeypatch.setattr(selection, most, 4)
    cluster = factories.cluster("east")
    url = f"{RULES}?sortBy={sort}&filterBy=roleName==viewer,subjectType==app"
    factories.many_applications(2, ("Viewer", cluster))
    for number in range(6):
        place = factories.department(f"team-{number}", cluster)
        factories.many_applications(1, ("Editor", place))
        factories.rule(factories.group(f"group-{number}"), "Viewer", place)
    conditions = [sql.partition("WHERE")[2] for sql in statements(client, url)]
    tested = [sql for sql in conditions if "subject_type" in sql and "role_id" in sql]
    assert len(tested) == 1
    assert client.get(url).json()["displayRecords"] == 2


# The key of a scope that the lead does not see; nothing else has it.
INVISIBLE = 4711


@pytest.fixture
def lead(as_: As) -> Client:
    """A caller who sees the access rules of one department, and its rules; others see more."""
    cluster = factories.cluster("east")
    vision, other = factories.department("vision", cluster), factories.department("b", cluster)
    lab = factories.project("vision-lab", vision)
    visionary = factories.project("visionary", other, pk=INVISIBLE)
    for place in (lab, visionary):
        factories.many_applications(3, ("Viewer", place))
        factories.application(f"ion of {place.name}", ("Viewer", place))
    return as_(factories.application("lead", ("Department administrator", vision)))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("query", "number"),
    [("search=on", 5), ("search=vision", 5), ("filterBy=subjectId=@on", 1), ("search=qq", 0)],
)
def test_a_search_without_an_index_tests_the_visible_rules_only(
    lead: Client, query: str, number: int, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MAX_SUBJECTS", -1)  # as if more subjects matched
    force(strategy, monkeypatch)
    url = f"{RULES}?{query}"
    with CaptureQueriesContext(connection) as queries:
        answer = lead.get(url).json()
    assert (answer["totalRecords"], answer["displayRecords"]) == (number, number)
    named = [one["sql"] for one in queries if 'FROM "accessrules_subject"' in one["sql"]]
    tested = [sql for sql in named if "normalized_name" in sql.partition("WHERE")[2]]
    assert [sql for sql in tested if FUNCTION not in sql] == []  # an index has bigrams


@pytest.mark.parametrize("condition", ["scopeType==project", "scopeName=@vision", "scopeName!=b"])
def test_a_scope_filter_looks_up_visible_scopes_only(lead: Client, condition: str) -> None:
    url = f"{RULES}?filterBy={condition}"
    lists = [
        found
        for sql in statements(lead, url)
        for found in re.findall(r"[\[{(]([\d, ]+)[\]})]", sql)
    ]
    assert lists
    assert [found for found in lists if str(INVISIBLE) in re.split(r"\D+", found)] == []
    assert lead.get(url).json()["totalRecords"] >= 4
