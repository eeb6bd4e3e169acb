"""Page, file and API return the rows of a plain model in Python, for any filter, search and sort."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.models import Application, search_text_of
from applications.oauth.tokens import issue
from runai_access.db.normalization import normalize, normalize_term
from runai_access.lists.keyset import Count
from runai_access.lists.selection import Selection
from tests import factories, sizes
from tests.browsers import signed_in
from tests.strategies import STRATEGIES, force
from tests.web.conftest import LISTING, Organization, column

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, tzinfo=UTC)
CREATORS = ("ada@acme.example", "zoe@acme.example", "ci-east", "größe@acme.example")
TERMS = [
    "a",
    "ci",
    "ea",
    "east",
    "viewer",
    "ZOE",
    "@acme",
    "vision",
    "app-1",
    "größe",
    "nothing",
    "-",
]


@dataclass(frozen=True)
class Row:
    """An application and the names of the roles and scopes of its rules, with the scopes' paths."""

    key: str
    name: str
    creator: str
    created: datetime
    updated: datetime
    login: datetime | None
    is_enabled: bool
    rules: tuple[tuple[str, str, str], ...]

    def is_found(self, term: str, visible: str) -> bool:
        names = [self.name, normalize(self.creator)]
        for role, scope, path in self.rules:
            names += [normalize(role), normalize(scope)] if path.startswith(visible) else []
        return any(term in name for name in names)


@dataclass(frozen=True)
class World:
    """All rows, and the callers: each with the path of the scope that it sees."""

    rows: list[Row]
    browsers: dict[str, Client]
    clients: dict[str, Client]
    paths: dict[str, str]

    def visible(self, caller: str) -> list[Row]:
        if caller == "all":
            return self.rows
        path = self.paths[caller]
        return [row for row in self.rows if any(rule[2].startswith(path) for rule in row.rules)]


@pytest.fixture
def world(acme: Organization) -> World:
    grants = [
        (), (("Viewer", acme.east),), (("Viewer", acme.training), ("Editor", acme.west)),
        (("L2 researcher", acme.vision),), (("Editor", acme.dictation),),
    ]  # fmt: skip
    for number in range(23):
        one = factories.application(
            f"{'app' if number % 3 else 'ci'}-{number:02}", *grants[number % 5]
        )
        creator = CREATORS[number * number % 4]
        one.created_by, one.search_text = creator, search_text_of(one.name, creator)
        one.created_at = START + timedelta(days=number % 7)
        one.updated_at = one.created_at + timedelta(milliseconds=number % 4)
        one.last_login = None if number % 4 else START + timedelta(hours=number % 3)
        one.save()
        if number % 6 == 0:
            one.subject.enabled = False
            one.subject.save()
    ada = factories.person("ada@acme.example", "System administrator")
    dina = factories.person("dina@acme.example", "Department administrator", acme.vision)
    root = factories.application("root", ("System administrator", factories.account()))
    keeper = factories.application("keeper", ("Department administrator", acme.vision))
    browsers, clients = {}, {}
    for name, user, application in (("all", ada, root), ("department", dina, keeper)):
        browsers[name] = signed_in(user, headers=LISTING)
        clients[name] = Client(headers={"Authorization": f"Bearer {issue(application).text}"})
    paths = {"all": "", "department": acme.vision.path}
    return World([_row(one) for one in Application.objects.all()], browsers, clients, paths)


def _row(one: Application) -> Row:
    rules = one.subject.access_rules.living().select_related("role", "scope")  # type: ignore[attr-defined]  # a manager from a queryset
    return Row(
        key=one.pk.hex, name=one.name, creator=one.created_by, created=one.created_at,
        updated=one.updated_at, login=one.last_login, is_enabled=one.enabled,
        rules=tuple((rule.role.name, rule.scope.name, rule.scope.path) for rule in rules),
    )  # fmt: skip


TEXT = {
    "==": lambda text, term: text == term,
    "!=": lambda text, term: text != term,
    "=@": lambda text, term: term in text,
    "!@": lambda text, term: term not in text,
    "=^": str.startswith,
    "=$": str.endswith,
}
ORDERED = {
    "==": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "<=": lambda value, other: value is not None and value <= other,
    ">=": lambda value, other: value is not None and value >= other,
}
FIELDS: dict[str, Any] = {
    "name": lambda row: row.name,
    "clientId": lambda row: row.name,
    "createdBy": lambda row: normalize(row.creator),
    "createdAt": lambda row: row.created,
    "updatedAt": lambda row: row.updated,
    "lastLogin": lambda row: row.login,
    "enabled": lambda row: row.is_enabled,
}
TEXT_FIELDS = ("name", "clientId", "createdBy")
TIME_FIELDS = ("createdAt", "updatedAt", "lastLogin")
# The console's names of the API's fields and operators.
COLUMNS = {
    "name": "application", "clientId": "client_id", "createdBy": "created_by",
    "createdAt": "creation_time", "updatedAt": "last_updated", "lastLogin": "last_login",
    "enabled": "status",
}  # fmt: skip
PAGE_OPERATORS = {"==": "is", "!=": "is_not", "=@": "contains", "=^": "starts_with"}
text_values = st.sampled_from(
    ["a", "app", "app-1", "ci-00", "3", "zoe", "ZOE@acme.example", "ci-east"]
)
MOMENTS = [START + timedelta(days=day, milliseconds=ms) for day in (0, 3) for ms in (0, 2)]
conditions = st.one_of(
    st.tuples(st.sampled_from(TEXT_FIELDS), st.sampled_from(list(TEXT)), text_values),
    st.tuples(
        st.sampled_from(TIME_FIELDS),
        st.sampled_from(list(ORDERED)),
        st.sampled_from(MOMENTS),
    ),
    st.tuples(st.just("enabled"), st.sampled_from(["==", "!="]), st.booleans()),
)  # fmt: skip
queries = st.fixed_dictionaries(
    {
        "filters": st.lists(conditions, max_size=2),
        "search": st.sampled_from(["", *TERMS]),
        "sort": st.sampled_from([None, *FIELDS]),
        "is_descending": st.booleans(),
        "caller": st.sampled_from(["all", "department"]),
        "size": st.sampled_from([1, 4, 50]),
    }
)


def matches(row: Row, field: str, operator: str, value: Any) -> bool:
    given = FIELDS[field](row)
    if field in TEXT_FIELDS:
        return bool(TEXT[operator](given, normalize(value)))
    return bool(ORDERED[operator](given, value))


def expected_rows(world: World, query: dict[str, Any], *, nulls_last: bool) -> list[Row]:
    caller, term = query["caller"], normalize_term(query["search"])
    rows = [
        row
        for row in world.visible(caller)
        if row.is_found(term, world.paths[caller])
        and all(matches(row, *condition) for condition in query["filters"])
    ]
    value = FIELDS[query["sort"] or "name"]
    is_descending = bool(query["sort"]) and query["is_descending"]
    with_value = [row for row in rows if value(row) is not None]
    without = [row for row in rows if value(row) is None]
    for part, key in ((with_value, value), (without, lambda _: "")):
        part.sort(key=lambda row: (key(row), row.key), reverse=is_descending)
    if nulls_last or is_descending:
        return with_value + without
    return without + with_value


def api_pages(client: Client, query: dict[str, Any]) -> Iterator[Any]:
    parameters: dict[str, Any] = {"limit": query["size"]}
    if query["filters"]:
        parameters["filterBy"] = [
            f"{field}{operator}{_written(value)}" for field, operator, value in query["filters"]
        ]
    if query["search"]:
        parameters["search"] = query["search"]
    if query["sort"]:
        parameters["sortBy"] = query["sort"]
        parameters["sortOrder"] = "desc" if query["is_descending"] else "asc"
    answer = client.get("/api/v1/service-accounts", parameters)
    while True:
        assert answer.status_code == 200, answer.json()
        yield answer
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        if not following:
            return
        answer = client.get(following[1].removeprefix(django_settings.PUBLIC_URL))


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(value)


def page_query(query: dict[str, Any]) -> dict[str, Any] | None:
    """Return the same query for the console, or None if it has no such filter."""
    parameters: dict[str, Any] = {}
    for field, operator, value in query["filters"]:
        is_repeated_choice = field == "enabled" and f"{COLUMNS[field]}__is" in parameters
        if field in TIME_FIELDS or operator not in PAGE_OPERATORS or is_repeated_choice:
            return None
        if field == "enabled":
            name, text = "is", "enabled" if value is (operator == "==") else "disabled"
        else:
            name, text = PAGE_OPERATORS[operator], value
        parameters.setdefault(f"{COLUMNS[field]}__{name}", []).append(text)
    if query["search"]:
        parameters["search"] = query["search"]
    sort = COLUMNS[query["sort"] or "name"]
    is_descending = bool(query["sort"]) and query["is_descending"]
    parameters["sort"] = f"-{sort}" if is_descending else sort
    return parameters


@pytest.mark.parametrize("strategy", ["as usual", *STRATEGIES])
@settings(
    max_examples=sizes.LIST_EXAMPLES * 3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=queries)
def test_page_file_and_api_return_the_rows_of_the_model(
    strategy: str, query: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if strategy != "as usual":
        force(strategy, monkeypatch, limit=3)
    expected = [row.name for row in expected_rows(world, query, nulls_last=True)]
    pages = list(api_pages(world.clients[query["caller"]], query))
    assert [row["name"] for page in pages for row in page.json()] == expected, query
    for page in pages:
        assert len(page.json()) == query["size"] or page is pages[-1] or _is_incomplete(page)
    first = pages[0].headers
    if "X-Total-Count" in first:
        assert int(first["X-Total-Count"]) == len(expected)
    else:
        assert int(first["X-Total-Count-At-Least"]) <= len(expected) or _is_incomplete(pages[0])

    parameters = page_query(query)
    if parameters is not None:
        browser = world.browsers[query["caller"]]
        on_page = [row.name for row in expected_rows(world, query, nulls_last=False)]
        file = browser.get("/applications/applications.csv", parameters).getvalue().decode()
        named = [line["Application"] for line in csv.DictReader(io.StringIO(file.lstrip("\ufeff")))]
        assert named == on_page, query
        if strategy != "incomplete":
            page = browser.get("/applications/", {**parameters, "size": 50})
            assert names_of(page) == on_page, query


def names_of(page: Any) -> list[str]:
    """Return the names on a page, without highlighting and badges."""
    cells = column(page, "application")
    return [cell.replace(" ", "").removesuffix("Disabled") for cell in cells]


def test_a_page_that_stops_early_offers_to_continue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    force("incomplete", monkeypatch, limit=3)
    monkeypatch.setattr(Selection, "count", lambda _: Count(100, is_exact=False))
    names: list[str] = []
    url, pages = "/applications/?search=zoe&sort=application", 0
    while url:
        page = world.browsers["all"].get(url)
        names += [
            cell.replace(" ", "").removesuffix("Disabled") for cell in column(page, "application")
        ]
        link = re.search(r'id="continue-search" href="([^"]+)"', page.content.decode())
        url, pages = (unescape(link[1]) if link else ""), pages + 1
    assert names == sorted(row.name for row in world.rows if row.creator.startswith("zoe"))
    assert pages > 1


@pytest.mark.parametrize("sort", ["access_rules", "-access_rules"])
@pytest.mark.parametrize("caller", ["of the account", "of the system"])
def test_pages_by_access_rules_have_applications_without_rules(
    acme: Organization, caller: str, sort: str
) -> None:
    scope = factories.account() if caller == "of the account" else factories.system()
    browser = signed_in(
        factories.person("sol@acme.example", "System administrator", scope), headers=LISTING
    )
    expected = {factories.application(f"none-{number:02}").name for number in range(22)}
    expected |= {factories.application(name, ("Viewer", acme.east)).name for name in ("a", "b")}
    url, names = f"/applications/?sort={sort}&size=20", list[str]()
    while url and len(names) < len(expected):
        page = browser.get(url)
        names += names_of(page)
        link = re.search(r'id="page-next" rel="next" href="([^"]+)"', page.content.decode())
        url = unescape(link[1]) if link else ""
    assert sorted(names) == sorted(expected)


def _is_incomplete(page: Any) -> bool:
    return page.headers.get("X-Search-Incomplete") == "true"
