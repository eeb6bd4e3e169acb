"""The base of the OAuth endpoints: form bodies, client authentication, errors (RFC 6749)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.response import Response

from applications.oauth import schema  # noqa: F401  # registers the bearer scheme
from applications.oauth.authentication import REALM
from applications.oauth.lookups import FoundApplication
from applications.oauth.serializers import OAuthErrorSerializer
from applications.oauth.views.client import ClientCredentials, MalformedBasic, from_basic
from applications.oauth.views.credentials import (
    CHALLENGE,
    IN_URL,
    MAX_PARAMETER,
    WRONG_CLIENT,
    CredentialsView,
    Refusal,
    application_with,
    describe_refusal,
    has_in_url,
)
from runai_access.api.errors import MESSAGES
from runai_access.api.parsers import read_body
from runai_access.api.schema import DESCRIPTIONS
from runai_access.db.availability import is_unavailable
from runai_access.errors import Busy, TooMany

CHALLENGES = {
    "invalid_client": CHALLENGE,
    "invalid_token": f'{REALM}, error="invalid_token"',  # RFC 6750 §3
}
# The only scope. Access rules decide what a token can do.
SCOPE = "api"
FORBIDDEN_IN_URL = {"client_id", "client_secret", "grant_type", "username", "password", "token"}
_ERRORS = {
    400: "invalid_request",
    401: "invalid_client",
    413: "invalid_request",
    415: "invalid_request",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}
REFUSALS = {
    status: OpenApiResponse(
        OAuthErrorSerializer,
        description=DESCRIPTIONS[status],
        examples=[
            OpenApiExample(
                code,
                value={
                    "error": code,
                    "error_description": WRONG_CLIENT if status == 401 else MESSAGES[status],
                },
            )
        ],
    )
    for status, code in _ERRORS.items()
}


class FormParser(BaseParser):
    """Parses application/x-www-form-urlencoded, as RFC 6749 requires."""

    media_type = "application/x-www-form-urlencoded"

    def parse(  # type: ignore[override]  # not a mapping: a form can repeat a name
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> list[tuple[str, str]]:
        """Return the names and values in the order of the body.

        Raises ParseError, TooManyFieldsSent, and the errors of `read_body`.
        """
        try:
            text = read_body(stream).decode("utf-8")
        except UnicodeDecodeError:
            raise exceptions.ParseError("The body must be UTF-8.") from None
        try:
            return parse_qsl(
                text,
                keep_blank_values=True,
                max_num_fields=settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
            )
        except ValueError:
            raise TooManyFieldsSent from None


class OAuthError(Refusal):
    """A refusal in the form of RFC 6749 §5.2."""

    def __init__(self, code: str, description: str) -> None:
        challenge = CHALLENGES.get(code, "")
        super().__init__(_refusal(code, description, status=401 if challenge else 400))
        if challenge:
            self.response["WWW-Authenticate"] = challenge


class OAuthView(CredentialsView):
    """A view with form parameters and errors as in RFC 6749 §5.2."""

    parser_classes = (FormParser,)
    security: tuple[dict[str, list[str]], ...] = ({"client": []}, {})  # or credentials in the form

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, OAuthError):
            return response
        code = "invalid_request"
        if isinstance(exc, Busy | TooMany) or is_unavailable(exc):
            code = "temporarily_unavailable"
        details = response.data.get("details") or response.data.get("message", "")
        response.data = _refusal(code, details).data
        return response

    def form(self, request: HttpRequest) -> dict[str, str]:
        """Return the form with each parameter once (RFC 6749 §3.2); empty ones count as missing."""
        if has_in_url(request, FORBIDDEN_IN_URL):
            raise OAuthError("invalid_request", IN_URL)
        form: dict[str, str] = {}
        for name, value in self.body(request):
            if name in form:
                raise OAuthError("invalid_request", f"{name[:40]} is repeated.")
            if len(value) > MAX_PARAMETER:
                raise OAuthError("invalid_request", f"{name[:40]} is too long.")
            form[name] = value
        return {name: value for name, value in form.items() if value}


def grant_types() -> list[str]:
    """Return the supported grant types. The password grant depends on a setting."""
    return ["client_credentials", "password"] if settings.PASSWORD_GRANT else ["client_credentials"]


def authenticate_client(
    request: HttpRequest,
    form: dict[str, str],
    authenticate: Callable[
        [HttpRequest, ClientCredentials], FoundApplication | None
    ] = application_with,
) -> FoundApplication:
    """Return the authenticated application, by header or body. Raises OAuthError."""
    client = _client(request, form)
    application = authenticate(request, client)
    if application is None:
        raise OAuthError("invalid_client", describe_refusal(client))
    return application


def required(form: dict[str, str], name: str) -> str:
    """Return a parameter. Raises OAuthError, with its name, if it is missing."""
    if name not in form:
        raise OAuthError("invalid_request", f"{name} is required.")
    return form[name]


def _client(request: HttpRequest, form: dict[str, str]) -> ClientCredentials:
    try:
        basic = from_basic(request.META.get("HTTP_AUTHORIZATION", ""))
    except MalformedBasic:
        raise OAuthError(
            "invalid_request", "The Authorization header is not valid Basic authentication."
        ) from None
    if basic is None:
        return ClientCredentials(required(form, "client_id"), required(form, "client_secret"))
    if "client_secret" in form:
        raise OAuthError(
            "invalid_request", "Send credentials in the header or in the body, not in both."
        )
    if form.get("client_id", basic.client_id) != basic.client_id:
        raise OAuthError("invalid_request", "client_id differs from the Authorization header.")
    return basic


def _refusal(code: str, description: str, status: int | None = None) -> Response:
    # Descriptions are printable ASCII without quotation marks and backslashes (RFC 6749 §5.2).
    plain = "".join(c for c in description.replace('"', "'") if " " <= c <= "~" and c != "\\")
    members = {"error": code, "error_description": plain}
    return Response(OAuthErrorSerializer.represent(members), status=status)
