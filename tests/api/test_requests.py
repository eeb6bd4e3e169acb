"""Request parsing and response headers of all endpoints."""

import codecs
import gzip
import json
import re
import uuid
from typing import Any

import pytest
import requests
from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import BaseStorage
from django.test import Client

from applications.models import Application
from runai_access.audit.models import AuditEvent
from tests import factories, openapi
from tests.api.conftest import As
from tests.api.test_official_documents import VERSIONS, document
from tests.conftest import skip_for_missing_tool
from tests.openapi import read_yaml
from tests.servers import Server

pytestmark = pytest.mark.any_database

JSON = "application/json"
APPS = "/api/v1/apps"
DOCUMENTS = [
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
]


@pytest.fixture
def client(as_: As, administrator: Application) -> Client:
    return as_(administrator)


# Bodies.


def test_a_byte_order_mark_before_json_is_skipped(
    client: Client, nightly: Application, secret: str
) -> None:
    """RFC 8259 §8.1."""
    created = client.post(APPS, codecs.BOM_UTF8 + b'{"name": "new"}', JSON)
    assert created.status_code == 201
    grant = {"grantType": "app_token", "AppId": "nightly", "AppSecret": secret}
    granted = client.post("/api/v1/token", codecs.BOM_UTF8 + json.dumps(grant).encode(), JSON)
    assert granted.status_code == 200


def test_a_byte_order_mark_alone_is_an_empty_body(client: Client) -> None:
    answer = client.post(APPS, codecs.BOM_UTF8, JSON)
    assert answer.json()["details"] == "name: This field is required."


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", " GZIP "])
def test_a_compressed_body_is_415_with_accept_encoding(client: Client, coding: str) -> None:
    """RFC 9110 §15.5.16."""
    body = gzip.compress(b'{"name": "new"}')
    answer = client.post(APPS, body, JSON, headers={"Content-Encoding": coding})
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert answer.json()["code"] == 415
    assert repr(coding.strip()) in answer.json()["details"]


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_an_uncompressed_body_is_accepted(client: Client, coding: str) -> None:
    answer = client.post(APPS, {"name": "new"}, JSON, headers={"Content-Encoding": coding})
    assert answer.status_code == 201


def test_a_415_for_the_media_type_has_no_accept_encoding(client: Client) -> None:
    answer = client.post(APPS, "name=new", "application/x-www-form-urlencoded")
    assert answer.status_code == 415
    assert "Accept-Encoding" not in answer.headers


# Paths.


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("path", "intended"),
    [
        ("//api/v1/apps", "/api/v1/apps"),
        ("///api/v1/apps", "/api/v1/apps"),
        ("/api/v1/apps/", "/api/v1/apps"),
        ("/api/v1/apps//", "/api/v1/apps"),
        ("//api/v1/token/", "/api/v1/token"),
        ("/api/v2/token/", "/api/v2/token"),
        ("//oauth2/introspect", "/oauth2/introspect"),
        ("//v1/k8s/auth/oauth/apptoken", "/v1/k8s/auth/oauth/apptoken"),
        ("/.well-known/jwks.json/", "/.well-known/jwks.json"),
    ],
)
def test_a_path_with_extra_slashes_is_a_json_404_with_the_right_path(
    client: Client, method: str, path: str, intended: str
) -> None:
    """Not a redirect, which would lose the body of a POST, and not a page."""
    # The client would parse `//api` as a host name.
    answer = client.generic(method, path, "{}", JSON, PATH_INFO=path)
    assert answer.status_code == 404
    details = f"Use the path {intended}, without extra slashes."
    assert answer.json() == {"code": 404, "message": "Resource id not found.", "details": details}


@pytest.mark.parametrize("path", ["//api/v1/nothing", "/api//v1/apps", "/api/v1/apps//secret"])
def test_any_other_unknown_path_is_a_plain_json_404(client: Client, path: str) -> None:
    answer = client.get(path, PATH_INFO=path)
    assert answer.status_code == 404
    assert "Use the path" not in answer.json()["details"]


@pytest.mark.django_db
def test_only_pages_have_flash_messages() -> None:
    for path in ("/.well-known/jwks.json", "/api/v1/apps"):
        assert get_messages(Client().get(path).wsgi_request) == []
    for path in ("/sign-in/", "/api/docs/"):
        assert isinstance(get_messages(Client().get(path).wsgi_request), BaseStorage)


def test_deleting_with_an_empty_id_deletes_nothing(client: Client) -> None:
    assert client.delete(f"{APPS}/").status_code == 404
    assert len(client.get(APPS).json()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("path", ["//api/v1/apps", "/api/v1/apps/"])
def test_the_server_handles_extra_slashes_in_the_same_way(server: Server, path: str) -> None:
    answer = requests.post(server.url + path, data=b"{}", timeout=10, allow_redirects=False)
    assert answer.status_code == 404
    assert "Use the path /api/v1/apps" in answer.json()["details"]


# CORS.


@pytest.mark.django_db
@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_scripts_of_other_sites_can_read_keys_and_discovery(path: str, method: str) -> None:
    answer = Client().generic(method, path, headers={"Origin": "https://other.example"})
    assert answer.status_code == (204 if method == "OPTIONS" else 200)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.django_db
def test_a_preflight_response_lists_the_methods() -> None:
    answer = Client().options(DOCUMENTS[0])
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        APPS, "/api/v1/token", "/api/v2/token", "/oauth2/introspect", "/oauth2/revoke", "/sign-in/",
        "/api/schema/", "/.well-known/security.txt", "/.well-known/nothing", "/applications/",
    ],
)  # fmt: skip
def test_scripts_of_other_sites_can_read_nothing_else(path: str, method: str) -> None:
    answer = Client().generic(method, path, headers={"Origin": "https://other.example"})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


# Request IDs.


def test_a_valid_request_id_is_in_the_response_and_audit_log(client: Client) -> None:
    ids = ["ci.run_4711-a", "x" * 128, str(uuid.uuid4()), uuid.uuid4().hex]
    for number, given in enumerate(ids):
        answer = client.post(APPS, {"name": f"a{number}"}, JSON, headers={"X-Request-Id": given})
        assert answer.headers["X-Request-Id"] == given
        event = AuditEvent.objects.filter(action="create").latest("pk")
        is_uuid = number >= 2
        assert event.request_id == (
            uuid.UUID(given) if is_uuid else uuid.uuid5(uuid.NAMESPACE_URL, given)
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    ["", "short", "x" * 129, "a b c d e", "line\x0bend1", "Größe-1234", "[12345678]", "12345678,2"],
)
def test_an_invalid_request_id_is_replaced(given: str) -> None:
    answer = Client().get("/sign-in/", headers={"X-Request-Id": given})
    assert uuid.UUID(answer.headers["X-Request-Id"]).version == 4


@pytest.mark.django_db
def test_a_credential_is_not_accepted_as_request_id(secret: str) -> None:
    answer = Client().get("/sign-in/", headers={"X-Request-Id": secret})
    assert answer.headers["X-Request-Id"] != secret


# Deprecated paths.


def address_of(path: str) -> str:
    return re.sub(r"\{\w+\}", "7", path)


@pytest.mark.parametrize("version", VERSIONS)
def test_paths_deprecated_in_an_official_document_are_deprecated(
    client: Client, version: str
) -> None:
    """RFC 9745, and RFC 5829 for the successor."""
    if not document(version).exists():
        skip_for_missing_tool("the official documents do not lie beside this checkout")
    paths = json.loads(document(version).read_text(encoding="utf-8"))["paths"]
    ours = openapi.document()
    described = {
        (method, address_of(path))
        for path, item in ours["paths"].items()
        for method, operation in item.items()
        if operation.get("deprecated")
    }
    deprecated = [
        (method, address_of(path))
        for path, item in paths.items()
        for method, operation in item.items()
        if operation.get("deprecated")
    ]
    assert deprecated
    for method, path in deprecated:
        answer = client.generic(method.upper(), path, "{}", JSON)
        assert re.fullmatch(r"@1[0-9]{9}", answer.headers["Deprecation"]), path
        assert 'rel="successor-version"' in answer.headers["Link"], path
        assert (method, path) in described
    if version == "2.24":
        ours_alone = re.compile(
            "/(secrets|copies|restore|contain|report|replace-secret-and-enable)"
        )
        additional = {(method, path) for method, path in described if ours_alone.search(path)}
        assert described - additional == set(deprecated)


def test_the_successor_of_an_application_is_the_same_service_account(client: Client) -> None:
    target = factories.application("target")
    for rest in ("", f"/{target.pk}"):
        link = client.get(f"{APPS}{rest}").headers["Link"]
        assert link == (
            f'<{settings.PUBLIC_URL}/api/v1/service-accounts{rest}>; rel="successor-version"'
        )


def test_a_deprecated_list_keeps_its_page_links(client: Client) -> None:
    factories.application("target")
    link = client.get(f"{APPS}?limit=1").headers["Link"]
    assert re.findall(r'rel="(.*?)"', link) == ["next", "successor-version"]


def test_errors_on_a_deprecated_path_announce_the_deprecation(db: None) -> None:
    assert Client().get(APPS).headers["Deprecation"] == "@1765756800"
    grant = Client().post("/v1/k8s/auth/oauth/apptoken", "{}", JSON)
    assert grant.headers["Deprecation"] == "@1740009600"
    assert "/api/v1/token>" in grant.headers["Link"]


@pytest.mark.parametrize("path", ["/api/v1/service-accounts", "/api/v1/users"])
def test_other_paths_are_not_deprecated(client: Client, path: str) -> None:
    answer = client.get(path)
    assert "Deprecation" not in answer.headers
    assert "Link" not in answer.headers


@pytest.mark.parametrize("id_", ["%0Aevil%3A%201", "%3E%3B%20rel%3Dx", "Gr%C3%B6%C3%9Fe"])
def test_ids_are_escaped_in_the_link(client: Client, id_: str) -> None:
    answer = client.get(f"{APPS}/{id_}")
    assert answer.status_code == 404
    assert answer.headers["Link"].count(">") == 1
    assert "\n" not in answer.headers["Link"]


# The OpenAPI document.


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/vnd.oai.openapi"),
        ("*/*", "application/vnd.oai.openapi"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/vnd.oai.openapi"),
        ("text/plain", "application/vnd.oai.openapi"),
        ("application/yaml", "application/yaml"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("application/yaml;q=0.5, application/json", "application/json"),
    ],
)
def test_the_document_format_follows_the_accept_header(accept: str, media_type: str) -> None:
    answer = Client().get("/api/schema/", headers={"Accept": accept} if accept else {})
    assert answer.headers["Content-Type"] == media_type
    assert "Accept" in answer.headers["Vary"].split(", ")
    read: Any = json.loads if media_type.endswith("json") else read_yaml
    assert read(answer.content)["servers"] == [{"url": settings.PUBLIC_URL}]
