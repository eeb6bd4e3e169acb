"""The server accepts every example and listed value of the OpenAPI document."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from applications.models import Application
from tests import factories
from tests.api.conftest import As, Organization
from tests.openapi import document

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
# test_schema.py tests that the committed document is current.
READS: dict[str, Any] = {
    path: item["get"]["parameters"]
    for path, item in document()["paths"].items()
    if "parameters" in item.get("get", {})
}
REQUIRED = {"start": "2026-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}


def documented_values(parameter: dict[str, Any]) -> Iterator[str]:
    """Yield all documented values of a parameter, URL-encoded."""
    schema = parameter["schema"]
    values = [example["value"] for example in parameter.get("examples", {}).values()]
    values += [parameter[key] for key in ("example",) if key in parameter]
    values += schema.get("enum", [])
    values += [schema[key] for key in ("example", "default", "minimum", "maximum") if key in schema]
    values += [True, False] if schema["type"] == "boolean" else []
    for value in values:
        yield ",".join(value) if isinstance(value, list) else str(value)


@pytest.fixture
def address(administrator: Application, organization: Organization) -> Callable[[str], str]:
    """Return a function that fills the path of an operation with existing IDs."""
    person = factories.person("ada@acme.example")

    def written(path: str) -> str:
        return path.format(
            application_id=administrator.pk,
            rule_id=administrator.subject.access_rules.get().pk,
            role_id=7,
            subject_id=administrator.pk,
            user_id=person.pk,
            scope_type="cluster",
            uid=_uid(path, organization),
        )

    return written


def _uid(path: str, organization: Organization) -> str:
    if "departments" in path:
        return str(organization.vision.uid)
    return str((organization.training if "projects" in path else organization.cluster).uid)


def queries(path: str) -> list[dict[str, Any]]:
    return [parameter for parameter in READS[path] if parameter["in"] == "query"]


def required(path: str) -> dict[str, str]:
    return {p["name"]: REQUIRED[p["name"]] for p in queries(path) if p.get("required")}


@pytest.mark.parametrize("path", READS)
def test_every_documented_value_of_a_parameter_is_accepted(
    administrator: Application, as_: As, address: Callable[[str], str], path: str
) -> None:
    client = as_(administrator)
    for parameter in queries(path):
        for value in documented_values(parameter):
            query = urlencode({**required(path), parameter["name"]: value})
            answer = client.get(f"{address(path)}?{query}")
            assert answer.status_code == 200, (query, answer.json())


@pytest.mark.parametrize("path", READS)
def test_other_values_of_an_enumeration_are_refused_with_a_list(
    administrator: Application, as_: As, address: Callable[[str], str], path: str
) -> None:
    client = as_(administrator)
    for parameter in queries(path):
        schema = parameter["schema"]
        accepted = ["true", "false"] if schema["type"] == "boolean" else schema.get("enum")
        if accepted:
            query = {**required(path), parameter["name"]: "banana"}
            answer = client.get(address(path), query)
            assert answer.status_code == 400, query
            details = answer.json()["details"]
            assert all(value in details for value in (parameter["name"], *accepted)), details


def test_every_filter_by_has_examples() -> None:
    filters = [p for parameters in READS.values() for p in parameters if p["name"] == "filterBy"]
    assert filters
    assert all(parameter["examples"] for parameter in filters)


RULES = "/api/v1/authorization/access-rules"
SUBJECT = {"subjectId": "root", "subjectType": "app"}
SCOPE = {"scopeId": "1001", "scopeType": "tenant"}
SUBJECT_TYPES = ("user", "app", "service-account", "group")
SCOPE_TYPES = ("system", "tenant", "cluster", "department", "project")
GRANTS = ("create", "read", "update", "delete")


@pytest.mark.parametrize(
    ("path", "body", "member", "accepted"),
    [
        (RULES, {**SUBJECT, **SCOPE, "roleId": 7}, "subjectType", SUBJECT_TYPES),
        (RULES, {**SUBJECT, **SCOPE, "roleId": 7}, "scopeType", SCOPE_TYPES),
        (f"{RULES}/batch", {"ids": ["1"]}, "action", ("delete", "validate_delete")),
        ("/api/v1/authorization/permitted-scopes", {}, "resourceType", ("project", "apps")),
        (
            "/api/v1/authorization/permitted-scopes",
            {"resourceType": "project"},
            "action",
            GRANTS,
        ),
        ("/api/v1/token", {"clientId": "a", "clientSecret": "b"}, "grantType", ("app_token",)),
    ],
)
def test_other_enumeration_values_in_a_body_are_refused_with_a_list(
    administrator: Application,
    as_: As,
    path: str,
    body: dict[str, Any],
    member: str,
    accepted: tuple[str, ...],
) -> None:
    sent = {**body, member: "banana"}
    answer = as_(administrator).post(path, sent, content_type="application/json")
    assert answer.status_code == 400
    details = answer.json()["details"]
    assert all(value in details for value in (member, *accepted)), details
