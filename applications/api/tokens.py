"""The token endpoints of three generations, all granting the same token for the same secret."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from applications.api.client import ClientCredentials
from applications.api.credentials import CHALLENGE, LARGEST_PARAMETER, CredentialsView
from applications.api.documents import (
    AppTokenRequestDocument,
    AppTokensDocument,
    GrantFormDocument,
    OAuthTokenDocument,
    TokenDocument,
    TokenRequestDocument,
)
from applications.api.oauth import (
    REFUSALS,
    WRONG_CLIENT,
    OAuthError,
    OAuthView,
    read_form,
    required,
)
from applications.tokens import issue, issue_id_token
from runai_access.api.errors import INVALID, error

# Every spelling that clients of 2.18 to 2.24 send, in lower case: case makes no difference.
SPELLINGS = {
    "grant_type": ("granttype",),
    "client_id": ("appid", "clientid"),
    "client_secret": ("appsecret", "clientsecret"),
}
V1_GRANTS = ("app_token", "client_credentials")


class TokenV1View(CredentialsView):
    """`POST /api/v1/token`, JSON; errors in the contract's form."""

    errors = {"POST": (401, 429)}

    @extend_schema(request=TokenRequestDocument, responses=TokenDocument)
    def post(self, request: Request) -> Response:
        try:
            given = _spelled(request.data, SPELLINGS)
        except ValueError as problem:
            return error(400, str(problem), message=INVALID)
        if missing := [SPELLINGS[name][-1] for name in SPELLINGS if name not in given]:
            return error(400, f"{', '.join(missing)}: required.")
        if given["grant_type"] not in V1_GRANTS:
            return error(400, f"grantType: must be {' or '.join(V1_GRANTS)}.", message=INVALID)
        client = ClientCredentials(given["client_id"], given["client_secret"])
        application = self.sign_in(client)
        if application is None:
            return _wrong_client()
        token = issue(application)
        return Response({"accessToken": token.text, "expiresIn": token.expires_in})


class TokenV2View(OAuthView):
    """`POST /api/v2/token`: the client credentials grant (RFC 6749 §4.4)."""

    @extend_schema(
        request=GrantFormDocument,
        responses={200: OAuthTokenDocument, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        form = read_form(request)
        grant_type = required(form, "grant_type")
        if grant_type != "client_credentials":
            raise OAuthError("unsupported_grant_type", "grant_type must be client_credentials.")
        if "scope" in form:
            raise OAuthError("invalid_scope", "There are no scopes: access rules decide.")
        token = issue(self.authenticate_client(request, form))
        return Response(
            {"access_token": token.text, "token_type": "Bearer", "expires_in": token.expires_in}
        )


class AppTokenView(CredentialsView):
    """`POST /v1/k8s/auth/oauth/apptoken`, JSON; deprecated, and still called.

    `id` is the application's id or, as some clients send it, its name once more.
    """

    errors = {"POST": (401, 429)}
    members = {"id": ("id",), "name": ("name",), "secret": ("secret",)}

    @extend_schema(request=AppTokenRequestDocument, responses=AppTokensDocument, deprecated=True)
    def post(self, request: Request) -> Response:
        try:
            given = _spelled(request.data, self.members)
        except ValueError as problem:
            return error(400, str(problem), message=INVALID)
        if missing := [name for name in self.members if name not in given]:
            return error(400, f"{', '.join(missing)}: required.")
        client = ClientCredentials(given["name"], given["secret"])
        application = self.sign_in(client, known_as=given["id"])
        if application is None:
            return _wrong_client()
        token = issue(application)
        return Response({"access_token": token.text, "id_token": issue_id_token(application)})


def _spelled(body: Any, spellings: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the parameters of a JSON object under one name each, empty ones left out.

    Raises ValueError where a value is no string, too long, or two spellings disagree.
    """
    given: dict[str, str] = {}
    for key, value in body.items():
        for name, known in spellings.items():
            if key.lower() not in known:
                continue
            if not isinstance(value, str):
                raise ValueError(f"{key}: must be a string.")
            if len(value) > LARGEST_PARAMETER:
                raise ValueError(f"{key}: may have {LARGEST_PARAMETER} characters.")
            if value and given.setdefault(name, value) != value:
                raise ValueError(f"{key}: stands there twice with different values.")
    return given


def _wrong_client() -> Response:
    refusal = error(401, WRONG_CLIENT)
    refusal["WWW-Authenticate"] = CHALLENGE
    return refusal
