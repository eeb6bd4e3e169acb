"""Third-party clients and servers obtain, use and accept our tokens."""

import json
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

from tests.servers import Server

pytestmark = pytest.mark.slow
RESOURCE_SERVER = Path(__file__).with_name("resource_server.py")


@pytest.fixture(scope="module")
def credentials(server: Server) -> dict[str, str]:
    made = server.command(
        "create_application", "oauth-library", "--role", "System administrator", "--json"
    )
    assert made.returncode == 0, made.stderr
    answer: dict[str, str] = json.loads(made.stdout)
    return answer


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_obtains_and_uses_a_token(
    server: Server, credentials: dict[str, str], method: str
) -> None:
    session = AuthlibSession(
        credentials["clientId"],
        credentials["clientSecret"],
        token_endpoint_auth_method=method,
    )
    session.fetch_token(f"{server.url}/api/v2/token", grant_type="client_credentials")
    assert session.get(f"{server.url}/api/v1/apps").status_code == 200


def test_requests_oauthlib_obtains_and_uses_a_token(
    server: Server, credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = OAuth2Session(client=BackendApplicationClient(credentials["clientId"]))
    session.fetch_token(
        f"{server.url}/api/v2/token",
        client_id=credentials["clientId"],
        client_secret=credentials["clientSecret"],
    )
    assert session.get(f"{server.url}/api/v1/apps").status_code == 200


def grant(server: Server, credentials: dict[str, str]) -> str:
    answer = requests.post(
        f"{server.url}/api/v2/token",
        data={"grant_type": "client_credentials"},
        auth=(credentials["clientId"], credentials["clientSecret"]),
        timeout=10,
    )
    token: str = answer.json()["access_token"]
    return token


def test_a_verifier_needs_only_the_discovery_document(
    server: Server, credentials: dict[str, str]
) -> None:
    discovery = f"{server.url}/.well-known/openid-configuration"
    document = requests.get(discovery, timeout=10).json()
    token = grant(server, credentials)
    key = jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token,
        key,
        algorithms=document["id_token_signing_alg_values_supported"],
        issuer=document["issuer"],
        audience=document["issuer"],
    )
    assert claims["client_id"] == credentials["clientId"]


def test_django_oauth_toolkit_accepts_only_valid_tokens_by_introspection(
    server: Server, credentials: dict[str, str]
) -> None:
    valid, revoked_token = grant(server, credentials), grant(server, credentials)
    revoked = requests.post(
        f"{server.url}/oauth2/revoke",
        data={"token": revoked_token},
        auth=(credentials["clientId"], credentials["clientSecret"]),
        timeout=10,
    )
    assert revoked.status_code == 200
    for token, status in [(valid, "200"), (revoked_token, "403")]:
        process = subprocess.run(
            [
                sys.executable, RESOURCE_SERVER, server.url,
                credentials["clientId"], credentials["clientSecret"], token,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )  # fmt: skip
        assert process.stdout.strip() == status, process.stderr
