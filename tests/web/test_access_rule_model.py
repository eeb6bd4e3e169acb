"""Page, file and API return the access rules of a plain model, also deleted ones and any page walk."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessrules.models import AccessRule
from applications.oauth.tokens import issue
from runai_access.db.normalization import normalize, normalize_term
from tests import factories, sizes
from tests.browsers import signed_in
from tests.strategies import STRATEGIES, force
from tests.web.conftest import LISTING, Organization, column

pytestmark = pytest.mark.django_db
RULES = "/api/v1/authorization/access-rules"
START = datetime(2026, 3, 1, tzinfo=UTC)
CREATORS = ("ada@acme.example", "Zoe@acme.example", "ci-east", "größe@acme.example")
ROLES = ("Viewer", "Editor", "L2 researcher", "Department administrator")

Row = dict[str, Any]
"""The fields of an access rule, with its ID and the path of its scope."""


@dataclass(frozen=True)
class World:
    """All rules, and the callers: each with the path of the scope that it sees."""

    rows: list[Row]
    browsers: dict[str, Client]
    clients: dict[str, Client]
    paths: dict[str, str]


@pytest.fixture
def world(acme: Organization) -> World:
    scopes = (acme.training, acme.vision, acme.dictation, acme.west, acme.east)
    holders = [
        factories.application("ci-00"), factories.application("app-1"), factories.group("Ops"),
        factories.person("zoe@acme.example"), factories.application("größe"),
    ]  # fmt: skip
    for number in range(24):
        rule = factories.rule(
            holders[number % 5], ROLES[number // 5 % 4], scopes[(number * 7 + number // 20) % 5]
        )
        rule.created_by = CREATORS[number * number % 4]
        rule.created_at = START + timedelta(days=number % 7)
        rule.expires_at = START + timedelta(days=4_000 + number % 3) if number % 4 == 1 else None
        if number % 3 == 0:
            rule.deleted_at = rule.created_at + timedelta(hours=number % 2)
        rule.save()
    ada = factories.person("ada@acme.example", "System administrator")
    dina = factories.person("dina@acme.example", "Department administrator", acme.vision)
    root = factories.application("root", ("System administrator", factories.account()))
    keeper = factories.application("keeper", ("Department administrator", acme.vision))
    browsers, clients = {}, {}
    for name, user, application in (("all", ada, root), ("department", dina, keeper)):
        browsers[name] = signed_in(user, headers=LISTING)
        clients[name] = Client(headers={"Authorization": f"Bearer {issue(application).text}"})
    rules = AccessRule.objects.select_related("subject", "role", "scope").order_by("pk")
    paths = {"all": factories.account().path, "department": acme.vision.path}
    return World([_row(rule) for rule in rules], browsers, clients, paths)


def _row(rule: AccessRule) -> Row:
    return {
        "id": rule.pk, "path": rule.scope.path,
        "subjectId": rule.subject.name, "subjectType": rule.subject.type,
        "roleId": rule.role_id, "roleName": rule.role.name,
        "scopeId": rule.scope.uid, "scopeType": rule.scope.type, "scopeName": rule.scope.name,
        "createdBy": rule.created_by, "createdAt": rule.created_at,
        "deletedAt": rule.deleted_at, "expiresAt": rule.expires_at,
    }  # fmt: skip


TEXT: dict[str, Callable[[str, str], bool]] = {
    "==": str.__eq__,
    "!=": str.__ne__,
    "=@": str.__contains__,
    "!@": lambda text, term: term not in text,
    "=^": str.startswith,
    "=$": str.endswith,
}
ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda value, other: value == other,
    "!=": lambda value, other: value != other,
    "<=": lambda value, other: value is not None and value <= other,
    ">=": lambda value, other: value is not None and value >= other,
}
TEXT_FIELDS = (
    "subjectId", "subjectType", "roleName", "scopeId", "scopeType", "scopeName", "createdBy",
)  # fmt: skip
TIME_FIELDS = ("createdAt", "deletedAt", "expiresAt")
NULLABLE = ("deletedAt", "expiresAt")
SORTS = (*TEXT_FIELDS, *TIME_FIELDS, "roleId")
# The console's names of the API's fields and operators.
COLUMNS = {
    "subjectId": "subject", "subjectType": "type", "roleName": "role", "scopeName": "scope",
    "createdBy": "authorized_by", "createdAt": "creation_time", "expiresAt": "expires",
}  # fmt: skip
PAGE_OPERATORS = {"==": "is", "!=": "is_not", "=@": "contains", "=^": "starts_with"}
texts = st.sampled_from(
    ["a", "app", "viewer", "ZOE", "ci-00", "group", "training", "@acme", "größe", "project", "e"]
)
moments = st.sampled_from([START + timedelta(days=days) for days in (0, 3, 4_001)])
conditions = st.one_of(
    st.tuples(st.sampled_from(TEXT_FIELDS), st.sampled_from(list(TEXT)), texts),
    st.tuples(st.sampled_from(TIME_FIELDS), st.sampled_from(list(ORDERED)), moments),
    st.tuples(st.sampled_from(NULLABLE), st.sampled_from(["==", "!="]), st.none()),
)
queries = st.fixed_dictionaries(
    {
        "filters": st.lists(conditions, max_size=2),
        "search": st.sampled_from(["", "a", "ci", "viewer", "TRAIN", "größe", "nothing", "e"]),
        "sort": st.sampled_from([None, *SORTS]),
        "is_descending": st.booleans(),
        "caller": st.sampled_from(["all", "department"]),
        "has_deleted": st.booleans(),
        "size": st.sampled_from([3, 7, 50]),
    }
)


def matches(row: Row, field: str, operator: str, value: Any) -> bool:
    if field in TEXT_FIELDS:
        return TEXT[operator](normalize(row[field]), normalize(value))
    return ORDERED[operator](row[field], value)


def expected(world: World, query: dict[str, Any], *, is_page: bool) -> list[Row]:
    """Return the rows in order. A page sorts rows without a value first, and names as they are."""
    term, path = normalize_term(query["search"]), world.paths[query["caller"]]
    rows = [
        row
        for row in world.rows
        if row["path"].startswith(path)
        and (query["has_deleted"] or row["deletedAt"] is None)
        and any(term in normalize(row[name]) for name in ("subjectId", "roleName", "scopeName"))
        and all(matches(row, *condition) for condition in query["filters"])
    ]
    name = query["sort"] or "id"
    is_descending = bool(query["sort"]) and query["is_descending"]
    is_normalized = name == "subjectId" or (name in ("roleName", "scopeName") and not is_page)

    def value_of(row: Row) -> Any:
        if name == "scopeType":  # the scopes of a type follow each other
            return row[name], row["scopeId"]
        return normalize(row[name]) if is_normalized else row[name]

    with_value = [row for row in rows if row[name] is not None]
    without = [row for row in rows if row[name] is None]
    with_value.sort(key=lambda row: (value_of(row), row["id"]), reverse=is_descending)
    without.sort(key=lambda row: row["id"], reverse=is_descending)
    return without + with_value if is_page and not is_descending else with_value + without


def filters_of(query: dict[str, Any]) -> dict[str, Any]:
    return {
        "includeDeleted": str(query["has_deleted"]).lower(),
        "search": query["search"],
        "filterBy": [f"{field}{test}{_written(value)}" for field, test, value in query["filters"]],
    }


def parameters_of(query: dict[str, Any]) -> dict[str, Any]:
    parameters = {**filters_of(query), "limit": query["size"]}
    if query["sort"]:
        parameters["sortBy"] = query["sort"]
        parameters["sortOrder"] = "desc" if query["is_descending"] else "asc"
    return parameters


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return "null" if value is None else str(value)


def walk(client: Client, query: dict[str, Any]) -> list[int]:
    """Return the IDs of all pages, following the links."""
    answer, ids = client.get(RULES, parameters_of(query)), []
    while True:
        assert answer.status_code == 200, answer.json()
        ids += [rule["id"] for rule in answer.json()["accessRules"]]
        following = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
        if not following:
            return ids
        answer = client.get(following[1].removeprefix(django_settings.PUBLIC_URL))


def at_offsets(client: Client, query: dict[str, Any], number: int) -> list[int]:
    """Return the IDs of all pages, each by its offset."""
    ids: list[int] = []
    for offset in range(0, number + 1, query["size"]):
        answer = client.get(RULES, {**parameters_of(query), "offset": offset}).json()
        ids += [rule["id"] for rule in answer["accessRules"]]
    return ids


def page_query(query: dict[str, Any]) -> dict[str, Any] | None:
    """Return the same query for the console, or None if it has no such filter or sort."""
    parameters: dict[str, Any] = {}
    for field, operator, value in query["filters"]:
        if field not in ("subjectId", "createdBy") or operator not in PAGE_OPERATORS:
            return None
        name = f"{COLUMNS[field]}__{PAGE_OPERATORS[operator]}"
        parameters.setdefault(name, []).append(value)
    if query["has_deleted"] or query["sort"] not in COLUMNS:
        return None
    sort = COLUMNS[query["sort"]]
    return {
        **parameters, "search": query["search"], "sort": f"-{sort}" if query["is_descending"] else sort
    }  # fmt: skip


@pytest.mark.parametrize("strategy", ["as usual", *STRATEGIES])
@settings(
    max_examples=sizes.LIST_EXAMPLES * 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=queries)
def test_page_file_and_api_return_the_rules_of_the_model(
    strategy: str, query: dict[str, Any], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if strategy != "as usual":
        force(strategy, monkeypatch, limit=3)
    client = world.clients[query["caller"]]
    ids = [row["id"] for row in expected(world, query, is_page=False)]
    assert walk(client, query) == ids, query
    if strategy != "incomplete":
        assert at_offsets(client, query, len(ids)) == ids, query
    first = client.get(RULES, parameters_of(query))
    assert first.json()["totalRecords"] == int(first.headers["X-Total-Count"]) == len(ids)
    assert client.get(f"{RULES}/count", filters_of(query)).json() == {"count": len(ids)}

    parameters = page_query(query)
    if parameters is not None:
        browser = world.browsers[query["caller"]]
        rules = [
            (row["subjectId"], row["roleName"]) for row in expected(world, query, is_page=True)
        ]
        file = browser.get("/access-rules/access-rules.csv", parameters).getvalue().decode()
        lines = csv.DictReader(io.StringIO(file.lstrip("\ufeff")))
        assert [(line["Subject"], line["Role"]) for line in lines] == rules, query
        if strategy != "incomplete":
            page = browser.get("/access-rules/", {**parameters, "size": 50})
            shown = zip(column(page, "subject"), column(page, "role"), strict=True)
            plain = [(_unmarked(subject), _unmarked(role)) for subject, role in shown]
            assert plain == [(_unmarked(subject), _unmarked(role)) for subject, role in rules], (
                query
            )


def _unmarked(cell: str) -> str:
    """Return the text of a cell without the spaces of highlighting."""
    return cell.replace(" ", "")
