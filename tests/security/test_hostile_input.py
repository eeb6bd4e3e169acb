"""Hostile input is refused with a clear message, without a 5xx, and at low cost."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from applications.oauth.tokens import issue
from tests import factories

AUDIT_LOG = "/api/v1/audit/log?start=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def root(db: None) -> Client:
    """A client with every permission in the account."""
    root = factories.application("root", ("System administrator", factories.account()))
    return Client(headers={"Authorization": f"Bearer {issue(root).text}"})


@pytest.mark.parametrize("name", ["apps", "authorization/access-rules", "users", "clusters"])
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("filterBy", ",".join(["createdBy==a"] * 1100)),
        ("search", "a" * 50_100),
        ("filterBy", "createdBy=@" + "a" * 50_100),
    ],
    ids=["1,100 conditions", "long search", "long value"],
)
def test_input_above_database_limits_is_refused_by_name(
    root: Client, name: str, parameter: str, value: str
) -> None:
    answer = root.get(f"/api/v1/{name}", {parameter: value})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["details"].startswith(parameter)


def test_a_hundred_conditions_are_accepted(root: Client) -> None:
    answer = root.get("/api/v1/apps", {"filterBy": ",".join(["createdBy!=a"] * 100)})
    assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize("limit", ["abc", "1e9", "²", ""])
def test_a_limit_must_be_a_number_even_if_another_parameter_counts(
    root: Client, limit: str
) -> None:
    answer = root.get(f"{AUDIT_LOG}&numberOfSamples=1&offset=1&limit={limit}")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["details"].startswith("limit")


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["&".join(f"p{n}=1" for n in range(1100)), "&" * 2000])
def test_a_form_with_too_many_parameters_is_an_invalid_request(body: str) -> None:
    answer = Client().post("/api/v2/token", body, content_type=FORM)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.django_db
def test_an_unauthenticated_upload_is_refused_before_it_is_read() -> None:
    file = SimpleUploadedFile("film.mp4", b"x" * 2_000_000)
    answer = Client().post(reverse("accounts:sign-in"), {"email": "a@b.example", "film": file})
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


RULE = {"subjectId": "x", "subjectType": "x", "scopeId": "x", "scopeType": "x", "roleId": "x"}
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/apps", {"name": "x"}),
    ("/api/v1/authorization/access-rules", RULE),
    ("/api/v1/authorization/access-rules/batch", {"ids": ["x"], "action": "x"}),
    (
        "/api/v1/authorization/access-rules/batch-create",
        {"payload": {"subjects": [RULE], "scopes": [RULE], "roleId": "x"}},
    ),
    ("/api/v1/authorization/permitted-scopes", {"resourceType": "x", "action": "x"}),
    ("/api/v1/token", {"grantType": "x", "clientID": "x", "clientSecret": "x"}),
    ("/v1/k8s/auth/oauth/apptoken", {"id": "x", "name": "x", "secret": "x"}),
]


@pytest.mark.parametrize("half", ["\\ud800", "\\uDFFF", "x\\ud83dx", "\\udc00\\ud800"])
@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_a_lone_surrogate_is_refused_everywhere(
    root: Client, path: str, body: dict[str, Any], half: str
) -> None:
    """RFC 8259 §8.2: JSON can escape it, but it can be neither stored nor encoded."""
    answer = root.post(path, json.dumps(body).replace('"x"', f'"{half}"'), JSON)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert answer.json()["code"] == HTTPStatus.BAD_REQUEST
    as_name = root.post(path, json.dumps({**body, "name?": 1}).replace("name?", half), JSON)
    assert as_name.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_nan_and_infinity_are_invalid_json(
    root: Client, path: str, body: dict[str, Any], number: str
) -> None:
    """RFC 8259 §6: even in members that are ignored."""
    text = json.dumps({**body, "more": 0}).replace('"more": 0', f'"more": {number}')
    answer = root.post(path, text, JSON)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert number.strip("-") in answer.json()["details"]


def test_a_surrogate_pair_is_accepted(root: Client) -> None:
    path, _ = BODIES[1]
    body = json.dumps(RULE).replace('"x"', '"\\ud83e\\udd84"', 1)
    assert "subjectId" not in root.post(path, body, JSON).json()["details"]


@pytest.mark.parametrize("depth", [100, *range(880, 1000, 6), 5000])
def test_a_deeply_nested_body_causes_no_error(root: Client, depth: int) -> None:
    """Also with an idempotency key, for which the body is read again."""
    body = f'{{"subjectId": "x", "more": {"[" * depth}{"]" * depth}}}'
    for headers in ({}, {"Idempotency-Key": "deep"}):
        answer = root.post(BODIES[1][0], body, JSON, headers=headers)
        assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_a_subject_with_a_thousand_rules_sees_its_access(db: None) -> None:
    department = factories.department("research", factories.cluster("east"))
    projects = [factories.project(f"project-{n}", department) for n in range(1100)]
    unseen = factories.project("unseen", department)
    robot = factories.application("robot")
    for project in projects:
        factories.rule(robot, "Viewer", project)
    client = Client(headers={"Authorization": f"Bearer {issue(robot).text}"})
    answer = client.get("/api/v1/org-unit/projects/count")
    assert answer.json() == {"count": 1100}
    assert client.get(f"/api/v1/org-unit/projects/{unseen.uid}").status_code == HTTPStatus.NOT_FOUND
    assert client.get(f"/api/v1/org-unit/projects/{projects[7].uid}").status_code == HTTPStatus.OK
