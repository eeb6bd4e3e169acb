"""A small OpenID Connect provider in the test process, which can misbehave."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings

from runai_access.accounts.sso.discovery import discovery_of
from runai_access.environment import OpenIDProvider

CLIENT = "console"
START, CALLBACK = "/sign-in/provider/", "/sign-in/provider/callback/"


class FakeProvider:
    """Answers as the specification says, except where a test changes its attributes."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.signing_key = self.key
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.redirects_to: str | None = None
        self.padding = ""
        self.used: set[str] = set()
        self.requests: list[str] = []
        self.nonce = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        self.requests.append(path)
        if path == "/.well-known/openid-configuration":
            endpoints = {
                f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")
            }
            return 200, {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                "padding": self.padding,
                **endpoints,
                **self.metadata,
            }
        if path == "/keys":
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [{**public, "kid": "one", "alg": "ES256", "use": "sig"}]}
        if path == "/token":
            code = form["code"]
            if code in self.used or "code_verifier" not in form:
                return 400, {"error": "invalid_grant"}
            self.used.add(code)
            return 200, {"access_token": "opaque", "id_token": self.id_token()}
        return 404, {}

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": self.nonce, "email": "rosa@acme.example", "email_verified": True,
            **self.claims,
        }  # fmt: skip
        return jwt.encode(claims, self.signing_key, algorithm="ES256", headers={"kid": "one"})


def _handler(provider: FakeProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, document = provider.answer(self.path, form)
            if provider.redirects_to:
                self.send_response(302)
                self.send_header("Location", provider.redirects_to)
                self.end_headers()
                return
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def provider(settings: Settings) -> Iterator[FakeProvider]:
    fake = FakeProvider()
    thread = Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.OIDC = OpenIDProvider(
        issuer=fake.issuer, client_id=CLIENT, client_secret="the-client-secret", name="Acme ID",
        scopes=("openid", "email"), groups_claim="groups", creates_users=False, trusts_email=False,
    )  # fmt: skip
    discovery_of.cache_clear()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    thread.join()
    discovery_of.cache_clear()


def begin(
    client: Client, provider: FakeProvider, url: str = START, **fields: str
) -> dict[str, str]:
    """Start a flow; return the parameters of the authentication request."""
    page = client.post(url, fields)
    assert page.status_code == 200, page.content.decode()
    query = parse_qs(urlsplit(page.context["url"]).query)
    request = {name: values[0] for name, values in query.items()}
    provider.nonce = request["nonce"]
    return request


def finish(client: Client, request: dict[str, str], code: str = "code", **more: str) -> Any:
    """Return from the provider."""
    return client.get(CALLBACK, {"state": request["state"], "code": code, **more})


def sign_in(client: Client, provider: FakeProvider, **fields: str) -> Any:
    return finish(client, begin(client, provider, **fields), code=f"code-{len(provider.used)}")
