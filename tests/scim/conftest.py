"""Identity providers: applications that provision users and groups."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from applications.models import Application
from applications.oauth.secrets import new_secret
from tests import factories

SCIM = "application/scim+json"
BASE = "/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


class ScimClient:
    """Sends SCIM requests with a bearer, and returns the responses of Django's test client."""

    def __init__(self, bearer: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {bearer}"})

    def get(self, path: str, **parameters: Any) -> Any:
        return self._client.get(BASE + path, parameters)

    def post(self, path: str, body: Any) -> Any:
        return self._send("post", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self._send("put", path, body)

    def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        return self._send("patch", path, {"schemas": [PATCH_OP], "Operations": list(operations)})

    def delete(self, path: str) -> Any:
        return self._client.delete(BASE + path)

    def _send(self, method: str, path: str, body: Any) -> Any:
        return getattr(self._client, method)(BASE + path, json.dumps(body), content_type=SCIM)


With = Callable[[Application], ScimClient]


@pytest.fixture
def secret() -> str:
    """The client secret of `okta`."""
    return new_secret()


@pytest.fixture
def okta(db: None, secret: str) -> Application:
    """The application of an identity provider, with all permissions in the account."""
    return factories.application(
        "okta", ("System administrator", factories.account()), secret=secret
    )


@pytest.fixture
def scim(okta: Application, secret: str) -> ScimClient:
    """The identity provider, which sends its client secret as bearer."""
    return ScimClient(secret)
