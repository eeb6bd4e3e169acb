"""The token endpoints: /api/v1/token (JSON, every spelling in use) and /api/v2/token (RFC 6749)."""

from collections.abc import Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import QueryDict
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from applications.api.client import ClientCredentials, MalformedBasic, from_basic
from applications.models import Application
from applications.signin import sign_in
from applications.tokens import issue
from runai_access.api.errors import INVALID, error
from runai_access.api.parsers import read_body
from runai_access.errors import Busy

CHALLENGE = 'Basic realm="runai-access"'
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
LARGEST_PARAMETER = 4096

# Every spelling that clients of 2.18 to 2.24 send, in lower case: case makes no difference.
SPELLINGS = {
    "grant_type": ("granttype",),
    "client_id": ("appid", "clientid"),
    "client_secret": ("appsecret", "clientsecret"),
}
V1_GRANTS = ("app_token", "client_credentials")


class TokenView(APIView):
    """What the endpoints share: they are for those who are not signed in yet."""

    authentication_classes = ()
    permission_classes = ()

    def sign_in(self, client: ClientCredentials) -> Application | None:
        """Return the application whose credentials these are, else None."""
        origin = self.request._request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
        return sign_in(client.client_id, client.secret, origin)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in NO_STORE.items():
            final.headers[name] = value
        return final


class TokenV1View(TokenView):
    """`POST /api/v1/token`; errors in the contract's form."""

    def post(self, request: Request) -> Response:
        try:
            given = _spelled(request.data)
        except ValueError as problem:
            return error(400, str(problem), message=INVALID)
        missing = [SPELLINGS[name][-1] for name in SPELLINGS if not given.get(name)]
        if missing:
            return error(400, f"{', '.join(missing)}: required.")
        if given["grant_type"] not in V1_GRANTS:
            return error(400, f"grantType: must be {' or '.join(V1_GRANTS)}.", message=INVALID)
        client = ClientCredentials(given["client_id"], given["client_secret"])
        application = self.sign_in(client)
        if application is None:
            refusal = error(401, "The client ID or the client secret is wrong.")
            refusal["WWW-Authenticate"] = CHALLENGE
            return refusal
        token = issue(application)
        return Response({"accessToken": token.text, "expiresIn": token.expires_in})


class FormParser(BaseParser):
    """Reads application/x-www-form-urlencoded, which RFC 6749 asks for."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> QueryDict:
        try:
            text = read_body(stream).decode("utf-8")
            return QueryDict(text, encoding="utf-8")
        except UnicodeDecodeError:
            raise exceptions.ParseError("The body must be UTF-8.") from None


class TokenV2View(TokenView):
    """`POST /api/v2/token`: the client credentials grant (RFC 6749 §4.4); errors as in §5.2."""

    parser_classes = (FormParser,)

    def post(self, request: Request) -> Response:
        try:
            return self._grant(request)
        except OAuthError as refusal:
            return refusal.response

    def _grant(self, request: Request) -> Response:
        form = _once_each(request)
        client = _client(request, form)
        grant_type = form.get("grant_type")
        if not grant_type:
            raise OAuthError("invalid_request", "grant_type is required.")
        if grant_type != "client_credentials":
            raise OAuthError("unsupported_grant_type", "grant_type must be client_credentials.")
        if form.get("scope"):
            raise OAuthError("invalid_scope", "There are no scopes: access rules decide.")
        application = self.sign_in(client)
        if application is None:
            raise OAuthError("invalid_client", "The client ID or the client secret is wrong.")
        token = issue(application)
        return Response(
            {"access_token": token.text, "token_type": "Bearer", "expires_in": token.expires_in}
        )

    def handle_exception(self, exc: Exception) -> Response:
        """Answer in the OAuth form; what is not about the grant keeps its status."""
        response = super().handle_exception(exc)
        code = "invalid_request"
        if isinstance(exc, Busy | OperationalError | InterfaceError):
            code = "temporarily_unavailable"
        details = response.data.get("details") or response.data.get("message", "")
        response.data = {"error": code, "error_description": details}
        return response


class OAuthError(Exception):
    """A refusal in the form of RFC 6749 §5.2."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        status = 401 if code == "invalid_client" else 400
        self.response = Response({"error": code, "error_description": description}, status=status)
        if status == 401:
            self.response["WWW-Authenticate"] = CHALLENGE


def _spelled(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters under one name each; raise ValueError where spellings disagree."""
    given: dict[str, str] = {}
    for key, value in body.items():
        for name, spellings in SPELLINGS.items():
            if key.lower() not in spellings:
                continue
            if not isinstance(value, str):
                raise ValueError(f"{key}: must be a string.")
            if len(value) > LARGEST_PARAMETER:
                raise ValueError(f"{key}: may have {LARGEST_PARAMETER} characters.")
            if value and given.setdefault(name, value) != value:
                raise ValueError(f"{key}: stands there twice with different values.")
    return given


def _once_each(request: Request) -> dict[str, str]:
    if request._request.GET.keys() & {"client_id", "client_secret", "grant_type"}:
        raise OAuthError("invalid_request", "Credentials must not stand in the address.")
    form: dict[str, str] = {}
    # An empty body is not parsed at all: then the framework hands out an empty dict.
    sent = request.data if isinstance(request.data, QueryDict) else QueryDict()
    for name, values in sent.lists():
        if len(values) > 1:
            raise OAuthError("invalid_request", f"{_shown(name)} stands there more than once.")
        if len(values[0]) > LARGEST_PARAMETER:
            raise OAuthError("invalid_request", f"{_shown(name)} is too long.")
        form[name] = values[0]
    return form


def _client(request: Request, form: Mapping[str, str]) -> ClientCredentials:
    try:
        basic = from_basic(request.headers.get("Authorization", ""))
    except MalformedBasic:
        raise OAuthError("invalid_request", "The Authorization header is not Basic.") from None
    if basic is None:
        if not form.get("client_id") or not form.get("client_secret"):
            raise OAuthError("invalid_request", "client_id and client_secret are required.")
        return ClientCredentials(form["client_id"], form["client_secret"])
    if form.get("client_secret"):
        raise OAuthError("invalid_request", "Credentials stand both in header and body.")
    if form.get("client_id") and form["client_id"] != basic.client_id:
        raise OAuthError("invalid_request", "client_id differs from the Authorization header.")
    return basic


def _shown(name: str) -> str:
    """Return a parameter's name as RFC 6749 §5.2 lets a description hold it."""
    return "".join(c for c in name[:40] if c.isascii() and c.isprintable() and c not in '"\\')
