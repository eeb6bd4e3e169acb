"""The official OpenAPI documents, where they lie beside the checkout, against every answer of ours."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from applications.models import Application
from applications.secrets import new_secret
from applications.tokens import issue
from runai_access.wsgi import application as wsgi
from tests import factories
from tests.api.conftest import Organization
from tests.conftest import skip_for_missing_tool
from tests.servers import ROOT

pytestmark = pytest.mark.usefixtures("connection_kept")
CONTRACT = ROOT.parent / "shared" / "contract"
VERSIONS = ("2.20", "2.24")
# Inside the process schemathesis asks for gzip, and can't read it.
PLAIN = {"Accept-Encoding": "identity"}

# Where an answer can't be what a document says, and why (contract/README.md, Known errata).
LOGS = "requires `logs`, and defines `audit_logs`"
TYPES = "resource types differ between versions: the union is answered, no document knows it all"
UUIDS = "declares the ids of access rules as UUIDs, and rules have integer ids"
ERRATA = {
    ("2.20", "GET", "/api/v1/audit/log"): LOGS,
    ("2.24", "GET", "/api/v1/audit/log"): LOGS,
    ("2.20", "GET", "/api/v1/authorization/permissions"): TYPES,
    ("2.24", "GET", "/api/v1/authorization/permissions"): TYPES,
    ("2.20", "GET", "/api/v1/authorization/roles"): TYPES,
    ("2.24", "GET", "/api/v1/authorization/roles"): TYPES,
    ("2.24", "POST", "/api/v1/authorization/access-rules/batch"): UUIDS,
}


def document(version: str) -> Path:
    return CONTRACT / f"runai-{version}.json"


def load(version: str) -> OpenApiSchema:
    schema = schemathesis.openapi.from_path(document(version))
    schema.app = wsgi
    return schema


@dataclass(frozen=True)
class Question:
    """One request that makes sense, with what stands in its path, query and body."""

    method: str
    path: str
    path_parameters: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None


def questions(organization: Organization, secret: str) -> list[Question]:
    """Return one question for every operation of the documents."""
    target = factories.application("target", ("Viewer", organization.training), secret=secret)
    doomed = factories.application("doomed")
    person = factories.person("ada@acme.example", "Viewer", organization.vision)
    rule = factories.rule(target, "L1 researcher", organization.vision)
    doomed_rule = factories.rule(person, "L1 researcher", organization.vision)
    scope = {"scopeId": organization.vision.uid, "scopeType": "department"}
    subject = {"subjectId": "target", "subjectType": "app"}
    rules, units = "/api/v1/authorization/access-rules", "/api/v1/org-unit"
    span = {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    grant = {"grantType": "app_token", "clientID": "target", "clientSecret": secret}
    found = [
        Question("GET", "/api/v1/audit/log", query=span),
        Question("GET", rules),
        Question("GET", f"{rules}/count"),
        Question("GET", f"{rules}/{{accessRuleId}}", {"accessRuleId": rule.pk}),
        Question("POST", rules, body={**subject, **scope, "roleId": 6}),
        Question("DELETE", f"{rules}/{{accessRuleId}}", {"accessRuleId": doomed_rule.pk}),
        Question(
            "POST", f"{rules}/batch-create",
            body={"payload": {"roleId": 9, "subjects": [subject], "scopes": [scope]}},
        ),
        Question("POST", f"{rules}/batch", body={"action": "delete", "ids": ["999999"]}),
        Question("GET", "/api/v1/authorization/me/access-rules"),
        Question("GET", "/api/v1/authorization/me/access-rules/count"),
        Question("GET", "/api/v1/authorization/permissions"),
        Question(
            "POST", "/api/v1/authorization/permitted-scopes", body={"resourceType": "project"}
        ),
        Question("GET", "/api/v1/authorization/roles"),
        Question("GET", "/api/v1/authorization/roles/{roleIdPath}", {"roleIdPath": 7}),
        Question("GET", "/api/v1/clusters"),
        Question(
            "GET", "/api/v1/clusters/{clusterUuid}", {"clusterUuid": organization.cluster.uid}
        ),
        Question("GET", f"{units}/departments"),
        Question("GET", f"{units}/departments/count"),
        Question(
            "GET", f"{units}/departments/{{departmentId}}",
            {"departmentId": organization.vision.uid},
        ),
        Question("GET", f"{units}/projects"),
        Question("GET", f"{units}/projects/count"),
        Question(
            "GET", f"{units}/projects/{{projectId}}", {"projectId": organization.training.uid}
        ),
        Question("POST", "/api/v1/token", body=grant),
        Question(
            "POST", "/api/v2/token",
            body={
                "grant_type": "client_credentials",
                "client_id": "target",
                "client_secret": secret,
            },
        ),
        Question(
            "POST", "/v1/k8s/auth/oauth/apptoken",
            body={"id": str(target.pk), "name": "target", "secret": secret},
        ),
        Question("GET", "/api/v1/users"),
        Question("GET", "/api/v1/users/count"),
        Question("GET", "/api/v1/users/{userId}", {"userId": str(person.pk)}),
    ]  # fmt: skip
    for prefix, id_ in [
        ("/api/v1/apps", "appId"),
        ("/api/v1/service-accounts", "serviceAccountId"),
    ]:
        one = f"{prefix}/{{{id_}}}"
        found += [
            Question("GET", prefix),
            Question("POST", prefix, body={"name": f"made-as-{id_.lower()}"}),
            Question("GET", one, {id_: str(doomed.pk)}),
            Question("PATCH", one, {id_: str(doomed.pk)}, body={"enabled": True}),
            Question("POST", f"{one}/secret", {id_: str(doomed.pk)}),
        ]
    found.append(Question("DELETE", "/api/v1/apps/{appId}", {"appId": str(doomed.pk)}))
    other = factories.application("doomed-too")
    found.append(
        Question(
            "DELETE", "/api/v1/service-accounts/{serviceAccountId}",
            {"serviceAccountId": str(other.pk)},
        )
    )  # fmt: skip
    return found


@pytest.fixture
def ask(administrator: Application) -> Callable[[Any, Question], Any]:
    """Return how to ask a question of a document, and to have the document judge the answer."""
    headers = {**PLAIN, "Authorization": f"Bearer {issue(administrator).text}"}

    def asked(schema: Any, question: Question) -> Any:
        operation = schema[question.path][question.method]
        media_type = "application/json"
        if question.path == "/api/v2/token":
            media_type = "application/x-www-form-urlencoded"
        case = operation.Case(
            path_parameters=question.path_parameters or None,
            query=question.query or None,
            **({} if question.body is None else {"body": question.body, "media_type": media_type}),
        )
        response = case.call(headers=headers)
        assert 200 <= response.status_code < 300, (question, response.text)
        case.validate_response(response, checks=[response_schema_conformance])
        return response

    return asked


@pytest.mark.django_db
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_answers_as_the_official_document_says(
    version: str, organization: Organization, ask: Callable[[Any, Question], Any]
) -> None:
    if not document(version).exists():
        skip_for_missing_tool("the official documents do not lie beside this checkout")
    schema = load(version)
    paths = json.loads(document(version).read_text(encoding="utf-8"))["paths"]
    methods = ("get", "post", "patch", "delete")
    known = {(m.upper(), path) for path, item in paths.items() for m in methods if m in item}
    secret = new_secret()
    asked, refused = set(), {}
    for question in questions(organization, secret):
        key = (question.method, question.path)
        if key not in known:
            continue  # the other version's
        asked.add(key)
        try:
            ask(schema, question)
        except FailureGroup as failure:
            refused[(version, *key)] = str(failure.exceptions[0])
    assert asked == known
    unexpected = {key: reason for key, reason in refused.items() if key not in ERRATA}
    assert not unexpected, sorted(unexpected)
    assert set(refused) == {key for key in ERRATA if key[0] == version}


def fuzz(version: str) -> Any:
    """Return the test that sends what a document allows, and more, and must never get a 5xx."""
    schema = load(version)

    @schema.parametrize()
    @settings(
        max_examples=8,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @pytest.mark.django_db
    def check(case: Any, administrator: Application) -> None:
        headers = {**PLAIN, "Authorization": f"Bearer {issue(administrator).text}"}
        response = case.call(headers=headers)
        case.validate_response(response, checks=[not_a_server_error])

    return check


if document("2.20").exists():
    test_nothing_that_2_20_allows_gets_a_5xx = fuzz("2.20")
if document("2.24").exists():
    test_nothing_that_2_24_allows_gets_a_5xx = fuzz("2.24")
