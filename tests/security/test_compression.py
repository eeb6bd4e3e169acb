"""Compression, which must never apply to responses with a secret or token (BREACH)."""

import gzip
import json
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from applications.models import Application
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access import compression
from runai_access.compression import (
    CompressionMiddleware,
    accepts_gzip,
    allow_compression,
    forbid_compression,
)
from tests import factories

pytestmark = pytest.mark.any_database

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}
PASSWORD = "a-long-winded-password-of-ada"
LONG = b"some text that repeats itself; " * 100


def is_compressed(answer: Any) -> bool:
    return answer.headers.get("Content-Encoding") == "gzip"


@pytest.fixture
def root(db: None) -> Application:
    return factories.application("root", ("System administrator", factories.account()))


@pytest.fixture
def api(root: Application) -> Client:
    return Client(headers={**GZIP, "Authorization": f"Bearer {issue(root).text}"})


@pytest.fixture
def browser(db: None) -> Client:
    """A browser in which Ada, a System administrator, is signed in."""
    browser = Client(headers=GZIP)
    browser.force_login(
        factories.person("ada@acme.example", "System administrator", password=PASSWORD)
    )
    return browser


@pytest.fixture
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compress small responses too."""
    monkeypatch.setattr(compression, "MIN_BYTES", 0)


# Compressed responses.


def test_api_lists_are_compressed_for_clients_that_accept_it(api: Client) -> None:
    factories.many_applications(20)
    answer = api.get("/api/v1/apps")
    assert is_compressed(answer)
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "Accept-Encoding" in answer.headers["Vary"]
    plain = api.get("/api/v1/apps", headers={"Accept-Encoding": "identity"})
    assert not is_compressed(plain)
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert gzip.decompress(answer.content) == plain.content
    assert len(answer.content) < len(plain.content) / 2


def test_a_small_response_is_not_compressed(api: Client) -> None:
    assert not is_compressed(api.get("/api/v1/apps"))


@pytest.mark.parametrize(
    "path",
    [
        "/applications/", "/access-rules/", "/scopes/", "/roles/", "/roles/1/", "/users/", "/groups/",
        "/activity/", "/account/", "/api/docs/", "/applications/new/", "/applications/filter/",
    ],
)  # fmt: skip
def test_pages_are_compressed(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200
    assert is_compressed(answer)
    assert b"</html>" in gzip.decompress(answer.content)


@pytest.mark.parametrize("path", ["/applications/applications.csv", "/activity/activity.json"])
def test_file_downloads_are_compressed_as_streams(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert is_compressed(answer)
    assert "Content-Length" not in answer.headers
    plain = browser.get(path, headers={"Accept-Encoding": ""})
    assert gzip.decompress(answer.getvalue()) == plain.getvalue()


@pytest.mark.parametrize("accept", [JSON, "application/yaml"])
def test_the_openapi_document_is_compressed(db: None, accept: str) -> None:
    answer = Client(headers=GZIP).get("/api/schema/", headers={"Accept": accept})
    assert is_compressed(answer)
    assert set(answer.headers["Vary"].split(", ")) >= {"Accept", "Accept-Encoding"}


def test_responses_of_read_only_posts_are_compressed(api: Client) -> None:
    department = factories.department("vision", factories.cluster("gpu-east"))
    for number in range(50):
        factories.project(f"p{number}", department)
    where = "/api/v1/authorization/permitted-scopes"
    assert is_compressed(api.post(where, {"resourceType": "project"}, JSON))


# Responses with a secret.


def shown_by_the_api(api: Client, target: Application, secret: str) -> Iterator[Any]:
    """Yield all API responses with a secret or a token."""
    for prefix, name in [("apps", "one"), ("service-accounts", "two")]:
        yield api.post(f"/api/v1/{prefix}", {"name": name}, JSON)
    grant = {"grantType": "app_token", "AppId": "target", "AppSecret": secret}
    yield api.post("/api/v1/token", grant, JSON)
    form = f"client_id=target&client_secret={secret}"
    yield api.post("/api/v2/token", f"{form}&grant_type=client_credentials", FORM)
    old = {"id": "target", "name": "target", "secret": secret}
    yield api.post("/v1/k8s/auth/oauth/apptoken", old, JSON)
    yield api.post("/oauth2/introspect", f"{form}&token={issue(target).text}", FORM)
    for prefix in ("apps", "service-accounts"):
        yield api.post(f"/api/v1/{prefix}/{target.pk}/secret", "", JSON)


@pytest.mark.usefixtures("every_size")
def test_api_responses_with_a_secret_or_token_are_not_compressed(api: Client) -> None:
    secret = new_secret()
    target = factories.application("target", secret=secret)
    assert is_compressed(api.get("/api/v1/apps")), "otherwise the test is meaningless"
    answers = list(shown_by_the_api(api, target, secret))
    assert len(answers) == 8
    for answer in answers:
        assert answer.status_code in (200, 201), answer.content
        assert not is_compressed(answer), answer.request["PATH_INFO"]


@pytest.mark.usefixtures("every_size")
def test_pages_with_a_secret_or_password_are_not_compressed(browser: Client) -> None:
    target = factories.application("target", secret=new_secret())
    person = factories.person("bo@acme.example")
    for path, form in [
        ("/applications/new/", {"name": "ci"}),
        (f"/applications/{target.pk}/regenerate/", {}),
        ("/users/new/", {"email": "nina@acme.example"}),
        (f"/users/{person.pk}/reset-password/", {}),
    ]:
        answer = browser.post(path, {**form, "submission": str(uuid.uuid4())})
        assert answer.status_code == 200, path
        assert not is_compressed(answer), path
        assert answer.is_compressible is False, "explicitly"
        assert is_compressed(browser.get(path)), "the form has no secret"


def test_responses_are_not_compressed_unless_allowed() -> None:
    for method in ("GET", "POST"):
        assert not is_compressed(through(JsonResponse({"a": LONG.decode()}), method=method))
        assert not is_compressed(
            through(HttpResponse(LONG, content_type="text/plain"), method=method)
        )
    assert not is_compressed(through(HttpResponse(LONG), method="POST")), "a POST"
    assert not is_compressed(through(HttpResponse(LONG, status=403))), "an error"
    assert not is_compressed(through(forbid_compression(HttpResponse(LONG))))


# Encoding.


def through(response: Any, *, method: str = "GET", accept: str = "gzip") -> Any:
    def view(_: HttpRequest) -> Any:
        return response

    request = RequestFactory().generic(method, "/", headers={"Accept-Encoding": accept})
    return CompressionMiddleware(view)(request)


def test_compressed_responses_are_not_compressed_again() -> None:
    file = allow_compression(HttpResponse(LONG, headers={"Content-Encoding": "br"}))
    assert through(file).headers["Content-Encoding"] == "br"
    assert file.content == LONG


def test_compressed_lengths_vary_randomly(monkeypatch: pytest.MonkeyPatch) -> None:
    def length() -> int:
        return len(through(allow_compression(HttpResponse(LONG))).content)

    assert len({length() for _ in range(50)}) > 10
    monkeypatch.setattr(secrets, "randbelow", lambda bound: 0)
    shortest = length()
    monkeypatch.setattr(secrets, "randbelow", lambda bound: bound - 1)
    assert length() - shortest == 99


def test_head_has_the_headers_of_get() -> None:
    answer = through(HttpResponse(LONG), method="HEAD")
    assert is_compressed(answer)


def test_a_strong_entity_tag_becomes_weak() -> None:
    """RFC 9110 §8.8.1: different bytes of the same content."""
    assert through(HttpResponse(LONG, headers={"ETag": '"a"'})).headers["ETag"] == 'W/"a"'
    assert through(HttpResponse(LONG, headers={"ETag": 'W/"a"'})).headers["ETag"] == 'W/"a"'


def test_a_stream_is_compressed_chunk_by_chunk() -> None:
    made = []

    def pieces() -> Iterator[bytes]:
        for number in range(1000):
            made.append(number)
            yield json.dumps({"number": number}).encode()

    answer = through(allow_compression(StreamingHttpResponse(pieces())))
    sent = iter(answer)
    first = next(sent)
    assert len(made) == 1
    begun = gzip.zlib.decompressobj(wbits=31).decompress(first)
    assert begun == b'{"number": 0}', "the first chunk is complete"
    assert gzip.decompress(first + b"".join(sent)).endswith(b'{"number": 999}')


def test_an_interrupted_stream_has_no_valid_end() -> None:
    def pieces() -> Iterator[bytes]:
        yield LONG
        raise OSError("the disk failed")

    sent = b""
    with pytest.raises(OSError, match="the disk failed"):
        for piece in through(allow_compression(StreamingHttpResponse(pieces()))):
            sent += piece
    with pytest.raises(EOFError):
        gzip.decompress(sent)


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("gzip", True), ("GZIP", True), ("br, gzip", True), ("gzip;q=0.5", True), ("gzip; q=1", True),
        ("gzip;q=0.001", True), ("", False), ("identity", False), ("br", False), ("*", False),
        ("gzip;q=0", False), ("gzip; q=0.000", False), ("xgzip", False),
    ],
)  # fmt: skip
def test_gzip_is_used_only_if_the_client_accepts_it(accept: str, accepted: bool) -> None:
    """RFC 9110 §12.5.3."""
    assert accepts_gzip(accept) is accepted
