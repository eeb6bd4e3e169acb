"""The OpenAPI document is committed, current, and correct for every endpoint."""

import io
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.conf import settings as settings_of_django
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from schemathesis.generation.hypothesis.examples import generate_one
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from applications.models import Application
from applications.oauth.tokens import issue
from runai_access.settings import IS_SQLITE
from runai_access.wsgi import application as wsgi
from tests import factories, sizes
from tests.openapi import document, read_yaml, without_nul_patterns

pytestmark = pytest.mark.usefixtures("connection_kept")
DOCUMENT = document()
SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT if sizes.IS_LARGE else without_nul_patterns(DOCUMENT)
)
SCHEMA.app = wsgi
SCHEMA.config.generation.update(allow_x00=sizes.IS_LARGE)
SCHEMA.config.phases.coverage.enabled = sizes.HAS_SCHEMA_COVERAGE
# Generating the requests of the examples takes seconds, so the test that sends them does it when it
# runs: each process of a run collects this file.
SCHEMA.config.phases.examples.enabled = False
# Unknown headers are ignored. Unknown query parameters have their own tests.
SCHEMA.config.generation.update(allow_extra_parameters=False)


def test_the_committed_document_is_current() -> None:
    written = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=written)
    assert read_yaml(written.getvalue()) == DOCUMENT, (
        "The API has changed. Review the difference, then commit it: "
        "manage.py spectacular --file docs/openapi.yaml"
    )


OPERATIONS = [
    (path, method, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def test_every_operation_and_response_has_a_description() -> None:
    for path, method, operation in OPERATIONS:
        assert operation["description"], (method, path)
        for status, answer in operation["responses"].items():
            assert answer["description"], (method, path, status)
            assert ("content" in answer) is (status != "204"), (method, path, status)


def test_response_headers_are_documented() -> None:
    """The total and adjacent pages of a list, the challenge, and the wait."""
    lists = 0
    for path, method, operation in OPERATIONS:
        documented = {
            status: set(answer.get("headers", {}))
            for status, answer in operation["responses"].items()
        }
        is_list = "sortBy" in {one["name"] for one in operation.get("parameters", ())}
        lists += is_list
        assert ({"X-Total-Count", "Link"} <= documented.get("200", set())) == is_list, (
            method,
            path,
        )
        assert "WWW-Authenticate" in documented.get("401", {"WWW-Authenticate"}), (method, path)
        for status in ("429", "503"):
            assert "Retry-After" in documented.get(status, {"Retry-After"}), (method, path)
    assert lists == 12


def test_each_generation_documents_its_own_name_of_the_secret() -> None:
    def required(path: str, status: str) -> set[str]:
        answer = DOCUMENT["paths"][path]["post"]["responses"][status]
        name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        return set(DOCUMENT["components"]["schemas"][name]["required"])

    for prefix, id_, secret in [
        ("/api/v1/apps", "application_id", "secret"),
        ("/api/v1/service-accounts", "application_id", "clientSecret"),
    ]:
        assert required(prefix, "201") == {"id", "name", "clientId", secret}
        assert required(f"{prefix}/{{{id_}}}/secret", "200") == {secret}


def test_basic_and_form_authentication_are_documented() -> None:
    """RFC 6749 §2.3.1: client ID and secret in a Basic header, or else in the body."""
    for path in ("/api/v2/token", "/oauth2/introspect", "/oauth2/revoke"):
        ways = DOCUMENT["paths"][path]["post"]["security"]
        assert {"client": []} in ways
        assert {} in ways
        assert ({"bearer": []} in ways) == path.startswith("/oauth2/")


@pytest.mark.django_db
def test_the_document_is_served(client: Client) -> None:
    answer = client.get("/api/schema/")
    assert answer.headers["Content-Type"].startswith("application/vnd.oai.openapi")
    servers = [{"url": settings_of_django.PUBLIC_URL}]
    assert read_yaml(answer.content) == {**DOCUMENT, "servers": servers}


@pytest.mark.django_db
def test_the_document_is_rendered_only_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = ["application/yaml", "application/json"]
    first = [client.get("/api/schema/", headers={"Accept": type_}).content for type_ in types]
    monkeypatch.setattr(
        SchemaGenerator, "get_schema", lambda *_, **__: pytest.fail("it was made once more")
    )
    again = [client.get("/api/schema/", headers={"Accept": type_}).content for type_ in types]
    assert again == first


CALLERS = ["administrator", "department administrator", "without rules", "stranger"]
# Refusals depend neither on the database nor, mostly, on the generated data.
ADMINISTRATORS = CALLERS[: 2 if IS_SQLITE else 1]
FEW_EXAMPLES = settings(
    max_examples=sizes.SCHEMA_EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(params=CALLERS)
def headers(request: pytest.FixtureRequest, db: None) -> dict[str, str]:
    """The headers of callers with different permissions."""
    if request.param == "stranger":
        return {}
    vision = factories.department("vision", factories.cluster("gpu-east"))
    factories.project("training", vision)
    rules: dict[str, list[factories.Grants]] = {
        "administrator": [("System administrator", factories.account())],
        "department administrator": [("Department administrator", vision)],
        "without rules": [],
    }
    caller: Application = factories.application("caller", *rules[request.param])
    return {"Authorization": f"Bearer {issue(caller).text}"}


@pytest.mark.parametrize("headers", CALLERS if sizes.IS_LARGE else ADMINISTRATORS, indirect=True)
@SCHEMA.parametrize()
@FEW_EXAMPLES
def test_every_endpoint_conforms_to_the_document(case: Any, headers: dict[str, str]) -> None:
    send_and_validate(case, headers)


@pytest.mark.any_database
@pytest.mark.django_db
@SCHEMA.include(tag="Tokens").parametrize()
@FEW_EXAMPLES
def test_token_endpoints_conform_to_the_document_without_a_token(case: Any) -> None:
    send_and_validate(case, {})


@cache
def requests_of_examples(path: str, method: str) -> list[Any]:
    strategies = SCHEMA[path][method].get_strategies_from_examples()
    return [generate_one(strategy) for strategy in strategies]


@pytest.mark.any_database
@pytest.mark.parametrize(("path", "method"), [operation[:2] for operation in OPERATIONS])
def test_every_example_conforms_to_the_document(
    path: str, method: str, headers: dict[str, str]
) -> None:
    for case in requests_of_examples(path, method):
        send_and_validate(case, headers)


def send_and_validate(case: Any, headers: dict[str, str]) -> None:
    """Send a request of schemathesis and check that the response conforms to the document."""
    # Other tests check for each path that a token is required.
    excluded = [ignored_auth]
    if "Tokens" in case.operation.tags:
        # A schema can't express that credentials are either in the form or in the Basic header.
        excluded.append(positive_data_acceptance)
    if case.operation.label == "POST /api/v1/users":
        # A schema can't express which emails are valid.
        excluded.append(positive_data_acceptance)
    if isinstance(case.body, dict) and "ownerType" in case.body and "owner" not in case.body:
        # A schema of OpenAPI 3.0 can't express that the type of an owner requires the owner.
        excluded.append(positive_data_acceptance)
    if isinstance(case.body, dict) and "contained" in case.body and not case.body.get("enabled"):
        # A schema can't express that false requires that `enabled` is true.
        excluded.append(positive_data_acceptance)
    if any(value in (None, {}, []) for value in (case.query or {}).values()):
        # A URL can't express such values, so the request becomes valid.
        excluded.append(negative_data_rejection)
    if (case.query or {}).pop("cursor", None) is not None:
        # A cursor is copied from a response: test_paging covers them. Without it the request is valid.
        excluded.append(negative_data_rejection)
    # Generated keys repeat; test_idempotency covers used keys.
    (case.headers or {}).pop("Idempotency-Key", None)
    # For WSGI apps, schemathesis requests gzip but can't decode it.
    plain = {**headers, "Accept-Encoding": "identity"}
    case.call_and_validate(headers=plain, excluded_checks=excluded)
