"""Request bodies of a real client: too large, or without a length."""

import socket
from collections.abc import Iterator

import pytest
import requests

from tests.servers import Server

pytestmark = pytest.mark.any_database

TEN_MEGABYTES = 10_000_000
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def in_chunks(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces: `requests` then sends it chunked, without a length."""
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize(
    ("path", "headers"), [("/api/v1/token", JSON), ("/api/v2/token", FORM)], ids=["v1", "v2"]
)
def test_ten_megabytes_are_refused_in_the_endpoints_format(
    server: Server, path: str, headers: dict[str, str], chunked: bool
) -> None:
    body = b"a" * TEN_MEGABYTES
    sent = in_chunks(body) if chunked else body
    answer = requests.post(server.url + path, data=sent, headers=headers, timeout=30)
    assert answer.status_code == 413
    assert "The request body must be at most 1 MiB." in answer.text
    assert "error" in answer.json() or answer.json()["code"] == 413


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        (
            "/api/v1/token",
            JSON,
            b'{"grantType": "app_token", "AppId": "nobody", "AppSecret": "nothing"}',
        ),
        (
            "/api/v2/token",
            FORM,
            b"grant_type=client_credentials&client_id=nobody&client_secret=nothing",
        ),
    ],
    ids=["v1", "v2"],
)
def test_a_chunked_body_is_read_like_any_other(
    server: Server, path: str, headers: dict[str, str], body: bytes
) -> None:
    answer = requests.post(server.url + path, data=iter([body]), headers=headers, timeout=30)
    assert answer.status_code == 401, answer.text


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/api/v1/token", JSON, b'{"grantType": "app_token", "AppId": "nobody", "AppSecret": "x"}'),
        ("/api/v2/token", FORM, b"grant_type=client_credentials&client_id=nobody&client_secret=no"),
        ("/oauth2/revoke", FORM, b"token=x&client_id=nobody&client_secret=nothing"),
    ],
)
def test_a_truncated_body_is_not_treated_as_complete(
    server: Server, path: str, headers: dict[str, str], body: bytes
) -> None:
    """RFC 9112 §8: such a request is incomplete."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body) + 20}\r\n"
            f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
            + body
        )
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert b" 400 " in answer.split(b"\r\n")[0]
    assert b"is shorter than its Content-Length" in answer


def test_a_post_without_a_body_is_answered(server: Server) -> None:
    answer = requests.post(f"{server.url}/api/v1/token", timeout=30)
    assert answer.status_code == 400
