"""Validates responses against the official OpenAPI documents, if they are next to the checkout."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from applications.models import Application
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access.wsgi import application as wsgi
from tests import factories, sizes
from tests.api.conftest import Organization
from tests.conftest import skip_for_missing_tool
from tests.servers import ROOT

pytestmark = pytest.mark.usefixtures("connection_kept")
CONTRACT = ROOT.parent / "shared" / "contract"
VERSIONS = ("2.20", "2.24")
# For WSGI apps, schemathesis requests gzip but can't decode it.
PLAIN = {"Accept-Encoding": "identity"}

# Responses that can't conform to a document, and why (contract/README.md, Known errata).
LOGS = "requires `logs`, and defines `audit_logs`"
TYPES = "resource types differ between versions: responses have the union, which no document has"
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

# Statuses of all operations. 400 is for invalid parameters; the documents declare it for some
# operations, and the other statuses for none.
ANYWHERE = {"400", "413", "415", "422", "429"}
# Statuses that a document doesn't declare, and why we use them.
CREDENTIALS = "invalid credentials are a 401 (RFC 6749 §5.2)"
SIGNED_IN = "a caller needs a credential: without one it is a 401 as everywhere"
TEMPORARY = "a session whose password is temporary can do nothing but choose another: 403"
TAKEN = "the same rule twice, or the last administrator's rule, is a 409"
REPEATED = "our Idempotency-Key: a request that was already processed is a 409"
CONTAINED = "enabling a contained application would let a leaked secret work again: 409"
UNKNOWN = "an unknown id is a 404; 2.24 declares it"
RULES = "/api/v1/authorization/access-rules"
ROLE = "/api/v1/authorization/roles/{roleIdPath}"
PERMITTED = "/api/v1/authorization/permitted-scopes"
MINE = "/api/v1/authorization/me/access-rules"
UNDECLARED: dict[tuple[str, str, str], dict[str, str]] = {
    ("2.20", "GET", ROLE): {"404": UNKNOWN},
    **{
        (version, method, path): statuses
        for version in VERSIONS
        for method, path, statuses in [
            ("POST", "/api/v1/token", {"401": CREDENTIALS}),
            ("POST", "/v1/k8s/auth/oauth/apptoken", {"401": CREDENTIALS}),
            ("POST", RULES, {"409": TAKEN}),
            ("DELETE", f"{RULES}/{{accessRuleId}}", {"409": TAKEN}),
            ("GET", "/api/v1/authorization/permissions", {"403": TEMPORARY}),
            ("POST", PERMITTED, {"403": TEMPORARY}),
            ("POST", "/api/v1/apps/{appId}/secret", {"409": REPEATED}),
            ("PATCH", "/api/v1/apps/{appId}", {"409": CONTAINED}),
        ]
    },
    ("2.24", "POST", f"{RULES}/batch"): {"409": REPEATED},
    ("2.24", "POST", f"{RULES}/batch-create"): {"409": REPEATED},
    ("2.24", "GET", MINE): {"401": SIGNED_IN, "403": TEMPORARY},
    ("2.24", "GET", f"{MINE}/count"): {"401": SIGNED_IN, "403": TEMPORARY},
    ("2.24", "POST", "/api/v1/service-accounts/{serviceAccountId}/secret"): {"409": REPEATED},
    ("2.24", "PATCH", "/api/v1/service-accounts/{serviceAccountId}"): {"409": CONTAINED},
}

# Filter and sort fields of a document that we refuse, and why.
FIGURES = "we keep no GPU figures"
PHASES = "no cluster reports to us whether it has applied a rule or a project"
CLUSTER_NAMES = "events have no cluster: nothing that we record happens in one"
NOT_KEPT = {
    "phase": PHASES,
    "cluster_name": CLUSTER_NAMES,
    **dict.fromkeys(["totalGpuQuota", "gpuAllocated"], FIGURES),
    **{
        f"avgGpu{figure}{span}": FIGURES
        for figure in ("Allocation", "Utilization", "MemoryUtilization")
        for span in ("24h", "7d", "30d")
    },
}


def document(version: str) -> Path:
    return CONTRACT / f"runai-{version}.json"


def load(version: str) -> OpenApiSchema:
    schema = schemathesis.openapi.from_path(document(version))
    schema.app = wsgi
    schema.config.phases.coverage.enabled = sizes.HAS_SCHEMA_COVERAGE
    return schema


@dataclass(frozen=True)
class Question:
    """A valid request: its path parameters, query and body."""

    method: str
    path: str
    path_parameters: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None


def questions(organization: Organization, secret: str) -> list[Question]:
    """Return a valid request for each operation of the documents."""
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
    """Return a function that sends a request and validates the response against a document."""
    headers = {**PLAIN, "Authorization": f"Bearer {issue(administrator).text}"}

    def check(schema: Any, question: Question) -> Any:
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

    return check


@pytest.mark.django_db
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_conforms_to_the_official_document(
    version: str, organization: Organization, ask: Callable[[Any, Question], Any]
) -> None:
    if not document(version).exists():
        skip_for_missing_tool("the official documents do not lie beside this checkout")
    schema = load(version)
    paths = json.loads(document(version).read_text(encoding="utf-8"))["paths"]
    methods = ("get", "post", "patch", "delete")
    known = {(m.upper(), path) for path, item in paths.items() for m in methods if m in item}
    secret = new_secret()
    seen, refused = set(), {}
    for question in questions(organization, secret):
        key = (question.method, question.path)
        if key not in known:
            continue  # of the other version
        seen.add(key)
        try:
            ask(schema, question)
        except FailureGroup as failure:
            refused[(version, *key)] = str(failure.exceptions[0])
    assert seen == known
    unexpected = {key: reason for key, reason in refused.items() if key not in ERRATA}
    assert not unexpected, sorted(unexpected)
    assert set(refused) == {key for key in ERRATA if key[0] == version}


def official(version: str) -> dict[str, Any]:
    if not document(version).exists():
        skip_for_missing_tool("the official documents do not lie beside this checkout")
    read: dict[str, Any] = json.loads(document(version).read_text(encoding="utf-8"))
    return read


def operations(read: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in read["paths"].items():
        for method in ("get", "post", "patch", "delete"):
            if method in item:
                yield method.upper(), path, item[method]


def without_names(path: str) -> str:
    """Return a path without parameter names, because ours differ."""
    return re.sub(r"{[^}]*}", "{}", path)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_errata_list_all_undeclared_statuses(
    version: str,
) -> None:
    generated = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # the library has no types
    ours = {
        (method, without_names(path)): set(operation["responses"])
        for method, path, operation in operations(generated)
    }
    undeclared = {}
    for method, path, operation in operations(official(version)):
        statuses = ours[method, without_names(path)] - set(operation["responses"]) - ANYWHERE
        if statuses:
            undeclared[version, method, path] = statuses
    assert undeclared == {
        key: set(reasons) for key, reasons in UNDECLARED.items() if key[0] == version
    }


@pytest.mark.django_db
def test_the_statuses_in_the_errata_occur(
    administrator: Application, organization: Organization
) -> None:
    """Only those that are easy to trigger; the tests of each feature cover the others."""
    api = Client(headers={"Authorization": f"Bearer {issue(administrator).text}"})
    scope = {"scopeId": organization.vision.uid, "scopeType": "department"}
    wanted = {"subjectId": "root", "subjectType": "app", "roleId": 6, **scope}
    api.post(RULES, wanted, content_type="application/json")
    apptoken = {"id": str(administrator.pk), "name": "root", "secret": new_secret()}
    grant = {"grantType": "app_token", "clientId": "root", "clientSecret": new_secret()}
    responses = [
        Client().post("/v1/k8s/auth/oauth/apptoken", apptoken, content_type="application/json"),
        Client().post("/api/v1/token", grant, content_type="application/json"),
        Client().get(MINE),
        Client().get(f"{MINE}/count"),
        api.post(RULES, wanted, content_type="application/json"),
        api.get(ROLE.format(roleIdPath=999)),
    ]
    statuses = [answer.status_code for answer in responses]
    assert statuses == [401, 401, 401, 401, 409, 404]


@pytest.mark.django_db
@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_of_the_official_document_is_accepted_or_an_erratum(
    version: str, administrator: Application
) -> None:
    client = Client(headers={"Authorization": f"Bearer {issue(administrator).text}"})
    span = {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    read = official(version)
    refused, not_kept = set(), set()
    for parameter, path, values in listed_fields(read):
        for value in values:
            query = span if path == "/api/v1/audit/log" else {}
            answer = client.get(path, {**query, parameter: value})
            name = re.split("[=!<>]", value)[0]
            if answer.status_code != 200:
                assert f"unknown field '{name}'" in answer.json()["details"], (path, value)
                refused.add(name)
            if name in NOT_KEPT:
                not_kept.add(name)
    assert refused == not_kept


def listed_fields(read: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield filterBy with a condition per field and its examples, and sortBy."""
    for _, path, operation in operations(read):
        for parameter in operation.get("parameters", ()):
            schema = parameter.get("schema", {})
            if parameter.get("name") == "filterBy":
                names = re.findall(r"\w+", schema["items"]["pattern"].partition(")")[0])
                conditions = [name + CONDITIONS.get(name, "==1") for name in names]
                yield "filterBy", path, conditions + schema.get("example", [])
            if parameter.get("name") == "sortBy":
                referred = schema.get("$ref", "").rpartition("/")[2]
                enum = read["components"]["schemas"][referred] if referred else schema
                yield "sortBy", path, enum["enum"]


TIME = ">=2026-01-01T00:00:00Z"
CONDITIONS = {
    **dict.fromkeys(["createdAt", "updatedAt", "deletedAt", "lastLogin", "timestamp"], TIME),
    **dict.fromkeys(["creationTime", "lastUpdated"], TIME),
    "isLocal": "==true",
}


def fuzz(version: str) -> Any:
    """Return a test that sends valid and invalid requests, none of which must be a 5xx."""
    schema = load(version)

    @schema.parametrize()
    @settings(
        max_examples=sizes.SCHEMA_EXAMPLES,
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
