"""Unknown query parameters and misspelled members are refused with a 400 that names them.

A client whose `filterby` is ignored would act on the first of all rows.
"""

import json
import re
from typing import Any
from unittest.mock import ANY

import pytest
from django.test import Client

from applications.models import Application
from runai_access.api.spelling import intended_name
from tests import factories, openapi
from tests.api.conftest import As, Organization
from tests.api.test_official_documents import VERSIONS, document
from tests.conftest import skip_for_missing_tool

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
OPENAPI = openapi.document()
JSON = "application/json"
# All authenticated endpoints. Token endpoints and documents ignore unknown parameters.
OPERATIONS = [
    (method, path)
    for path, item in OPENAPI["paths"].items()
    for method, operation in item.items()
    if "Tokens" not in operation["tags"]
]
# In the clients `runapy` 1.218 to 1.224, but in none of the available documents.
OF_OTHER_VERSIONS = {
    "/api/v1/clusters": {"verbosity", "includeRequestedForDelete"},
    "/api/v1/org-unit/departments/count": {"filterBy"},
    "/api/v1/users": {"filter"},
}


def query_names(path: str, method: str) -> list[str]:
    """Return the query parameters in our document."""
    declared = OPENAPI["paths"][path][method].get("parameters", ())
    return [one["name"] for one in declared if one["in"] == "query"]


def address_of(path: str) -> str:
    return re.sub(r"\{\w+\}", "7", path)


@pytest.fixture
def client(as_: As, administrator: Application) -> Client:
    return as_(administrator)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_unknown_parameter_is_refused_with_the_known_ones(
    client: Client, method: str, path: str
) -> None:
    answer = client.generic(method.upper(), f"{address_of(path)}?nope=1&alsoNope=2", "{}", JSON)
    assert answer.status_code == 400
    details = answer.json()["details"]
    assert details.startswith("Unknown query parameters: 'nope', 'alsoNope'.")
    named = re.search(r"Known: (.*)\.$", details)
    assert sorted(named[1].split(", ") if named else []) == sorted(query_names(path, method))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_parameter_of_the_official_documents_is_known(version: str) -> None:
    if not document(version).exists():
        skip_for_missing_tool("the official documents do not lie beside this checkout")
    official = json.loads(document(version).read_text(encoding="utf-8"))
    ours = {re.sub(r"\{\w+\}", "{}", path): path for path in OPENAPI["paths"]}
    checked = 0
    for path, item in official["paths"].items():
        our_path = ours[re.sub(r"\{\w+\}", "{}", path)]
        for method, operation in item.items():
            declared = {
                one["name"] for one in resolved(official, operation) if one["in"] == "query"
            }
            assert declared <= set(query_names(our_path, method)), (method, path)
            checked += len(declared)
    assert checked > 50


def resolved(official: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of an operation, with references resolved."""
    components = official["components"].get("parameters", {})
    return [
        components[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for one in operation.get("parameters", ())
    ]


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in OF_OTHER_VERSIONS.items() for name in names]
)
def test_parameters_of_clients_of_every_version_are_known(path: str, name: str) -> None:
    assert name in query_names(path, "get")


@pytest.mark.parametrize("name", ["verbosity=full", "includeRequestedForDelete=true"])
def test_an_official_parameter_without_a_function_here_is_ignored(
    client: Client, organization: Organization, name: str
) -> None:
    plain = client.get("/api/v1/clusters")
    assert client.get(f"/api/v1/clusters?{name}").json() == plain.json() != []


def test_a_misspelled_parameter_is_refused_with_a_suggestion(client: Client) -> None:
    answer = client.get("/api/v1/apps?filterby=name==root&Limit=1")
    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "message": "Invalid parameter", "details": ANY}
    details = answer.json()["details"]
    assert "'filterby' (did you mean filterBy?), 'Limit' (did you mean limit?)" in details


def test_members_of_a_body_are_not_accepted_as_query_parameters(client: Client) -> None:
    assert client.get("/api/v1/apps?clientId=root").status_code == 400


def test_an_unknown_parameter_prevents_a_write(client: Client) -> None:
    doomed = factories.application("doomed")
    assert client.delete(f"/api/v1/apps/{doomed.pk}?dryRun=true").status_code == 400
    assert client.post("/api/v1/apps?dryRun=true", {"name": "new"}, JSON).status_code == 400
    assert {app["name"] for app in client.get("/api/v1/apps").json()} == {"root", "doomed"}


def test_head_refuses_what_get_refuses(client: Client) -> None:
    assert client.head("/api/v1/apps?nope=1").status_code == 400
    assert client.head("/api/v1/apps?limit=1").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "TRACE", "OPTIONS"])
def test_an_unsupported_method_is_405_with_any_parameters(client: Client, method: str) -> None:
    assert client.generic(method, "/api/v1/apps?limit=1&nope=1").status_code == 405


def test_unauthenticated_callers_do_not_get_parameter_errors() -> None:
    assert Client().get("/api/v1/apps?nope=1").status_code == 401


def test_a_long_name_is_truncated(client: Client) -> None:
    answer = client.get("/api/v1/apps?" + "&".join(f"{'x' * 500}{n}=1" for n in range(50)))
    assert answer.status_code == 400
    assert len(answer.json()["details"]) < 1000


@pytest.mark.parametrize(
    "path", ["/api/v1/token", "/api/v2/token", "/oauth2/introspect", "/oauth2/revoke"]
)
def test_token_endpoints_ignore_unknown_parameters(path: str) -> None:
    """RFC 6749 §3.2."""
    answers = [Client().post(address) for address in (path, f"{path}?nope=1")]
    assert answers[0].content == answers[1].content


# Bodies.


@pytest.mark.parametrize(
    ("path", "body", "member", "intended"),
    [
        ("/api/v1/apps", {"name": "new", "Name": "other"}, "Name", "name"),
        ("/api/v1/service-accounts", {"names": "new"}, "names", "name"),
        ("/api/v1/apps/{app}", {"enable": False}, "enable", "enabled"),
        ("/api/v1/apps/{app}", {"tokenlifetime": 60}, "tokenlifetime", "tokenLifetime"),
        ("/api/v1/authorization/access-rules", {"subjectID": "root"}, "subjectID", "subjectId"),
        ("/api/v1/authorization/permitted-scopes", {"actoin": 1, "acton": "read"}, "acton", "action"),
        ("/api/v1/authorization/access-rules/batch", {"id": ["1"]}, "id", "ids"),
        (
            "/api/v1/authorization/access-rules/batch-create",
            {"payload": {"subjects": [], "scopes": [], "roleID": 6}}, "payload.roleID", "roleId",
        ),
        (
            "/api/v1/authorization/access-rules/batch-create",
            {
                "payload": {
                    "roleId": 6,
                    "subjects": [{"subjectId": "target", "subjectType": "app"}],
                    "scopes": [{"scopeId": "1", "scopeType": "tenant", "scopeid": "2"}],
                }
            },
            "payload.scopes[0].scopeid", "scopeId",
        ),
    ],
)  # fmt: skip
def test_a_misspelled_member_is_refused_with_a_suggestion(
    client: Client, path: str, body: dict[str, Any], member: str, intended: str
) -> None:
    target = factories.application("target")
    method = "PATCH" if "{app}" in path else "POST"
    answer = client.generic(method, path.format(app=target.pk), json.dumps(body), JSON)
    assert answer.status_code == 400
    assert f"{member}: Unknown member. Did you mean {intended}?" in answer.json()["details"]
    assert answer.json()["message"] == "Invalid parameter"
    assert client.get("/api/v1/apps").headers["X-Total-Count"] == "2"


def test_other_unknown_members_are_ignored(client: Client) -> None:
    body = {"name": "new", "description": "x", "nested": {"Name": 1}}
    assert client.post("/api/v1/apps", body, JSON).status_code == 201


@pytest.mark.parametrize("version", VERSIONS)
def test_no_official_member_counts_as_a_misspelling(version: str) -> None:
    if not document(version).exists():
        skip_for_missing_tool("the official documents do not lie beside this checkout")
    official = json.loads(document(version).read_text(encoding="utf-8"))
    known = bodies_of(OPENAPI)
    checked = 0
    for key, members in bodies_of(official).items():
        for member in members - known[key]:
            assert intended_name(member, known[key]) is None, (key, member)
        checked += len(members)
    assert checked >= 10


def bodies_of(openapi: dict[str, Any]) -> dict[tuple[str, ...], set[str]]:
    """Return the members of every JSON body by method, path and containing members."""
    found: dict[tuple[str, ...], set[str]] = {}

    def collect(schema: dict[str, Any], *key: str) -> None:
        if "$ref" in schema:
            schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for part in schema.get("allOf", ()):
            collect(part, *key)
        for name, member in schema.get("properties", {}).items():
            found.setdefault(key, set()).add(name)
            collect(member.get("items", member), *key, name)

    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            if JSON in content and "token" not in path:
                collect(content[JSON]["schema"], method, re.sub(r"\{\w+\}", "{}", path))
    return found


@pytest.mark.parametrize(
    ("name", "is_misspelling"),
    [
        ("NAME", True), ("Name", True), ("nam", True), ("ame", True), ("nme", True),
        ("names", True), ("xname", True), ("naame", True), ("mame", True), ("namx", True),
        ("name", False), ("na", False), ("namesx", False), ("nmae", False), ("", False),
        ("description", False), ("xnamex", False),
    ],
)  # fmt: skip
def test_a_misspelling_differs_in_case_or_by_one_letter(name: str, is_misspelling: bool) -> None:
    assert intended_name(name, ["name"]) == ("name" if is_misspelling else None)
