"""filterBy, sortBy, search, limit and offset on all lists."""

import re
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.api import me, organization, roles, rules
from applications.api import resources
from applications.models import Application
from applications.oauth.tokens import issue
from runai_access.accounts.api import users
from runai_access.activity import api as activity
from runai_access.api.filter_by import OPERATORS, FieldType
from runai_access.api.paging import MAX_OFFSET, ListEndpoint, RowsEndpoint, sortable
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.plans import plan_of

pytestmark = pytest.mark.django_db
RULES = "authorization/access-rules"
LOG = "audit/log?start=2026-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"
# The path of each list, and the member of the response with the rows.
LISTS: dict[str, tuple[ListEndpoint | RowsEndpoint, str]] = {
    "apps": (resources.LIST, ""),
    "service-accounts": (resources.LIST, ""),
    RULES: (rules.LIST, "accessRules"),
    "authorization/me/access-rules": (me.MINE, "accessRules.accessRules"),
    "authorization/permissions": (me.PERMISSIONS, ""),
    "authorization/roles": (roles.LIST, ""),
    "users": (users.LIST, ""),
    "clusters": (organization.CLUSTERS.listing, ""),
    "org-unit/departments": (organization.DEPARTMENTS.listing, "departments"),
    "org-unit/projects": (organization.PROJECTS.listing, "projects"),
    LOG: (activity.LIST, "audit_logs"),
}
VALUES = {
    FieldType.LABEL: ["env=prod", "env=", "", "Größe=%"],
    FieldType.TEXT: [
        "",
        "a",
        "Größe",
        "%",
        "_",
        "\\",
        "'",
        "a,b",
        "🦄",
        "e\u0301",
        "\uff11\uff19\uff12",
    ],
    FieldType.TIME: ["2026-01-01", "2026-01-31T12:00:00+02:00", "0001-01-01T00:00:00+14:00"],
    FieldType.NUMBER: ["0", "999999999"],
    FieldType.FLAG: ["true", "FALSE"],
}
NONSENSE = [
    ("limit", "-1"), ("limit", "1e3"), ("limit", "²"), ("limit", "99999999999999999999"),
    ("limit", ""), ("offset", "-1"), ("offset", str(MAX_OFFSET + 1)), ("offset", "x"),
    ("sortBy", "nothing"), ("sortBy", "name; drop"), ("sortOrder", "up"),
    ("filterBy", "nothing==1"), ("filterBy", ""), ("filterBy", "=="), ("search", "\x00"),
]  # fmt: skip


@pytest.fixture(scope="module")
def root(rows_of_module: None) -> Client:
    """A client with all permissions, and at least two objects of each type."""
    east = factories.cluster("gpu-east")
    factories.cluster("Ärzte-Süd")
    department = factories.department("Übersee", east)
    factories.project("vision", department)
    factories.project("ÖL", department)
    factories.department("speech", east)
    factories.rule(factories.group("Größe"), "Viewer", department)
    factories.person("jörg@acme.example", "Viewer", department)
    factories.person("ada@acme.example")
    factories.application("nightly")
    root: Application = factories.application("root", ("System administrator", factories.account()))
    factories.rule(root, "Viewer", department)
    client = Client(headers={"Authorization": f"Bearer {issue(root).text}"})
    for name in ("first", "second"):  # also creates audit log entries
        client.post("/api/v1/apps", {"name": name}, content_type="application/json")
    return client


def ask(client: Client, path: str, **parameters: Any) -> Any:
    address, _, query = path.partition("?")
    return client.get(f"/api/v1/{address}", {**dict(parse_qsl(query)), **parameters})


def follow_next(client: Client, answer: Any) -> Any:
    """Return the page that the `next` link of an answer names (RFC 8288)."""
    (url,) = re.findall(r'<([^>]*)>; rel="next"', answer.headers["Link"])
    return client.get(url.removeprefix(settings.PUBLIC_URL))


def total(answer: Any) -> int:
    return int(answer.headers["X-Total-Count"])


def rows(path: str, answer: Any) -> list[dict[str, Any]]:
    found = answer.json()
    for member in filter(None, LISTS[path][1].split(".")):
        found = found[member]
    return list(found)


@pytest.mark.parametrize("path", LISTS)
def test_a_page_is_a_slice_of_the_list_with_the_total(root: Client, path: str) -> None:
    whole = rows(path, ask(root, path, limit=400))
    first, second = ask(root, path, limit=1), ask(root, path, limit=1, offset=1)
    assert len(whole) >= 2
    assert [*rows(path, first), *rows(path, second)] == whole[:2]
    assert total(first) == total(second) == len(whole)
    assert rows(path, follow_next(root, first)) == whole[1:2]
    assert 'offset=0>; rel="prev"' in second.headers["Link"]


@pytest.mark.parametrize("path", LISTS)
def test_a_page_after_the_end_is_empty(root: Client, path: str) -> None:
    for offset in (1_000_000, MAX_OFFSET):
        answer = ask(root, path, limit=1, offset=offset)
        assert (answer.status_code, rows(path, answer)) == (200, [])
        assert total(answer) >= 2
        assert 'rel="next"' not in answer.headers["Link"]


@pytest.mark.parametrize("path", LISTS)
def test_an_invalid_list_parameter_is_a_400_with_its_name(root: Client, path: str) -> None:
    for parameter, value in NONSENSE:
        answer = ask(root, path, **{parameter: value})
        assert answer.status_code == 400, (parameter, value)
        assert answer.json()["details"].startswith(parameter)


@pytest.mark.parametrize(
    ("path", "condition", "name"),
    [
        ("org-unit/departments", "name=@e,totalGpuQuota>=1", "totalGpuQuota"),
        ("org-unit/departments", "createdAt<=2100-01-01,avgGpuUtilization7d>=1", "avgGpu"),
        ("org-unit/projects", "name=@e,avgGpuMemoryUtilization30d<=1,name=@a", "avgGpuMemory"),
        ("org-unit/projects", "parentName==speech,phase==Ready", "phase"),
        (RULES, "subjectId==ada,phase==Ready", "phase"),
        (LOG, "subject==ada,cluster_name==east", "cluster_name"),
    ],
)
def test_an_unsupported_field_is_refused_and_never_part_of_a_value(
    root: Client, path: str, condition: str, name: str
) -> None:
    """contract/README.md, filterBy: a 400 with the name of the field."""
    answer = ask(root, path, filterBy=condition)
    assert answer.status_code == 400
    assert f"unknown field '{name}" in answer.json()["details"]


@pytest.mark.parametrize("path", LISTS)
def test_every_field_supports_its_operators(root: Client, path: str) -> None:
    """Values beyond ASCII, and wildcards, too."""
    for name, field in LISTS[path][0].fields.items():
        for operator in OPERATORS[field.kind]:
            conditions = [f"{name}{operator}{value}" for value in VALUES[field.kind]]
            answer = ask(root, path, filterBy=conditions, limit=1)
            assert answer.status_code == 200, (conditions, answer.json())


@pytest.mark.parametrize("path", LISTS)
def test_an_operator_and_its_negation_match_all_rows_together(root: Client, path: str) -> None:
    everything = total(ask(root, path))
    for name, field in LISTS[path][0].fields.items():
        if field.kind is FieldType.TEXT:
            for value in ("e", "ö"):
                yes, no = (ask(root, path, filterBy=f"{name}{op}{value}") for op in ("=@", "!@"))
                assert total(yes) + total(no) == everything, (name, value)


@pytest.mark.parametrize("path", LISTS)
def test_a_nullable_field_can_be_compared_with_null(root: Client, path: str) -> None:
    everything = total(ask(root, path))
    for name, field in LISTS[path][0].fields.items():
        if field.is_nullable:
            without, with_ = (ask(root, path, filterBy=f"{name}{op}null") for op in ("==", "!="))
            assert total(without) + total(with_) == everything, name
            assert not any(row[name] for row in rows(path, without))
            assert all(row[name] for row in rows(path, with_))
        if field.is_nullable and field.kind is FieldType.TIME:
            refused = ask(root, path, filterBy=f"{name}>=null")
            assert refused.status_code == 400
            assert "only with == and !=" in refused.json()["details"]


@pytest.mark.parametrize("signed_in", [True, False])
def test_applications_that_never_signed_in_are_found_by_null(root: Client, signed_in: bool) -> None:
    Application.objects.filter(subject__name="nightly").update(last_login=timezone.now())
    found = rows("apps", ask(root, "apps", filterBy=f"lastLogin{'!=' if signed_in else '=='}null"))
    assert ("nightly" in {row["name"] for row in found}) is signed_in
    assert ("first" in {row["name"] for row in found}) is not signed_in


def test_null_is_plain_text_in_a_field_that_is_not_nullable(root: Client) -> None:
    factories.application("null")
    found = rows("apps", ask(root, "apps", filterBy="name==null"))
    assert [row["name"] for row in found] == ["null"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_can_be_filtered_by_the_values_in_responses(root: Client, path: str) -> None:
    """Each value matches exactly the rows that have it."""
    whole = rows(path, ask(root, path, limit=400))
    for name, field in LISTS[path][0].fields.items():
        if isinstance(value := whole[0].get(name), str | int):
            operator = "==" if "==" in OPERATORS[field.kind] else "=@"
            found = rows(path, ask(root, path, filterBy=f"{name}{operator}{value}", limit=400))
            assert whole[0] in found, (name, value)
            assert [row for row in whole if row[name] == value] == found, (name, value)


@pytest.mark.parametrize("path", LISTS)
def test_every_field_sorts_in_both_directions(root: Client, path: str) -> None:
    for name in sortable(LISTS[path][0].fields):
        up, down = (
            rows(path, ask(root, path, sortBy=name, sortOrder=order, limit=400))
            for order in ("asc", "desc")
        )
        assert len(up) == len(down) >= 2
        if all(row.get(name) is not None for row in up):
            assert [row[name] for row in up] == [row[name] for row in reversed(down)]


@pytest.mark.parametrize("path", LISTS)
def test_every_text_field_sorts_without_regard_to_case(root: Client, path: str) -> None:
    cluster = factories.cluster("Beta")
    for unit in ("alpha", "Gamma", "delta"):
        department = factories.department(unit, cluster)
        factories.project(f"{unit} Project", department)
        factories.rule(factories.group(f"{unit} group"), "ML engineer", department)
        factories.rule(root_application(), "L1 researcher", department)
        created = {"subject_name": f"{unit}@acme.example", "entity_name": unit, "entity_id": unit}
        AuditEvent.objects.create(
            subject_type="user", action="create", entity_type="project", result="Failed", **created
        )
    for name, field in LISTS[path][0].fields.items():
        if field.kind is FieldType.TEXT and field.sort is not None:
            for order in ("asc", "desc"):
                found = rows(path, ask(root, path, sortBy=name, sortOrder=order, limit=400))
                texts = [row[name].lower() for row in found if row.get(name)]
                assert texts == sorted(texts, reverse=order == "desc"), (name, order)


def root_application() -> Application:
    return Application.objects.get(subject__name="root")


@pytest.mark.parametrize(
    ("sort_by", "index"),
    [
        ("subjectId", "access_rule_by_subject"),
        ("subjectType", "access_rule_by_type"),
        ("createdBy", "access_rule_by_authorizer"),
    ],
)
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
def test_rules_are_sorted_by_an_index(
    root: Client, sort_by: str, index: str, sort_order: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        ask(root, RULES, sortBy=sort_by, sortOrder=sort_order, limit=1)
    (listed,) = (q["sql"] for q in queries if "ORDER BY" in q["sql"] and "deleted_at" in q["sql"])
    plan = plan_of(keys_of(listed))
    assert index in plan
    assert not re.search("TEMP B-TREE|Sort", plan)


@pytest.mark.parametrize(
    ("path", "parameters", "found"),
    [
        ("clusters", {"filterBy": "name==ärzte-süd"}, 1),
        ("clusters", {"filterBy": "name!=ärzte-süd"}, 1),
        ("clusters", {"search": "ÄRZTE"}, 1),
        ("org-unit/departments", {"filterBy": "name=^über"}, 1),
        ("org-unit/projects", {"filterBy": "name==öl"}, 1),
        ("org-unit/projects", {"filterBy": "parentName=$ÜBERSEE"}, 2),
        (RULES, {"filterBy": "subjectId=@GRÖß"}, 1),
        (RULES, {"subjectIdFilter": "GRÖß"}, 1),
        (f"{RULES}/count", {"search": "GRÖß"}, 1),
        ("users", {"filterBy": "username=^JÖRG"}, 1),
        ("authorization/permissions", {"filterBy": "displayName==ACCESS rules"}, 1),
        ("authorization/permissions", {"filterBy": "groupId==IAM,resourceType!@app"}, 5),
        ("authorization/permissions", {"search": "ACCESS_RULE"}, 1),
    ],
)
def test_filters_ignore_case_in_every_alphabet(
    root: Client, path: str, parameters: dict[str, str], found: int
) -> None:
    answer = ask(root, path, **parameters)
    if path.endswith("count"):
        assert answer.json() == {"count": found}
    else:
        assert total(answer) == found


def test_applications_are_listed_and_counted_by_an_index(root: Client) -> None:
    root.get("/api/v1/apps")
    with CaptureQueriesContext(connection) as queries:
        answer = root.get("/api/v1/apps?limit=1")
    assert answer.headers["X-Total-Count"] == str(Application.objects.count())
    statements = [query["sql"] for query in queries]
    (listed,) = (sql for sql in statements if "ORDER BY" in sql and "created_by" in sql)
    (counted,) = (sql for sql in statements if "COUNT(*)" in sql)
    assert "JOIN" not in counted
    plan = plan_of(keys_of(listed))
    assert "application_by_name" in plan
    assert not re.search("TEMP B-TREE|Sort", plan)


def keys_of(sql: str) -> str:
    """Return the subquery that finds the keys of a page, before its rows are loaded and sorted."""
    (subquery,) = re.findall(r" IN \((SELECT .* LIMIT \d+)\)", sql)
    return str(subquery)
