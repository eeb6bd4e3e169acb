"""The token endpoints of three API generations. All issue the same token for the same secret."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema

from applications.oauth.lookups import FoundApplication
from applications.oauth.password_grant import token_for
from applications.oauth.serializers import (
    AppTokenRequestSerializer,
    AppTokensSerializer,
    GrantFormSerializer,
    OAuthTokenSerializer,
    TokenRequestSerializer,
    TokenSerializer,
)
from applications.oauth.tokens import AccessToken, issue, issue_id_token
from applications.oauth.views.base import (
    REFUSALS,
    SCOPE,
    OAuthError,
    OAuthView,
    authenticate_client,
    grant_types,
    required,
)
from applications.oauth.views.client import ClientCredentials
from applications.oauth.views.credentials import (
    CHALLENGE,
    IN_URL,
    MAX_PARAMETER,
    CredentialsView,
    Refusal,
    application_with,
    describe_refusal,
    has_in_url,
    json_response,
)
from runai_access.api.deprecation import Deprecation
from runai_access.api.errors import INVALID, error

WRONG_USER = "Incorrect username or password."
V1_GRANTS = ("app_token", "client_credentials")


class JSONGrantView(CredentialsView):
    """A grant with JSON parameters, and errors in the format of the contract."""

    errors = {"POST": (401, 429)}
    # The accepted spellings of each parameter, in lowercase; case is ignored.
    spellings: Mapping[str, str]

    def parameters(self, request: HttpRequest) -> dict[str, str]:
        """Return the parameters by canonical name, without empty ones. Raises Refusal if invalid."""
        if has_in_url(request, self.spellings):
            raise _invalid(IN_URL)
        parameters: dict[str, str] = {}
        for key, value in self.body(request).items():
            name = self.spellings.get(key.lower())
            if name is None:
                continue
            if not isinstance(value, str):
                raise _invalid(f"{key}: must be a string.")
            if len(value) > MAX_PARAMETER:
                raise _invalid(f"{key}: must have at most {MAX_PARAMETER} characters.")
            if value and parameters.setdefault(name, value) != value:
                raise _invalid(f"{key}: is repeated with different values.")
        return parameters


class TokenV1View(JSONGrantView):
    """Exchanges a client ID and secret for a token: JSON in, JSON out."""

    spellings = {
        "granttype": "grantType",
        "clientid": "clientID",
        "appid": "clientID",
        "clientsecret": "clientSecret",
        "appsecret": "clientSecret",
        "username": "username",
        "password": "password",
    }

    @extend_schema(request=TokenRequestSerializer, responses=TokenSerializer)
    def post(self, request: HttpRequest) -> HttpResponse:
        """Get a token with JSON.

        Exchanges a client ID and a client secret for a token.
        """
        parameters = self.parameters(request)
        if parameters.get("grantType") == "password" and settings.PASSWORD_GRANT:
            token = self._for_user(request, parameters)
        else:
            token = self._for_application(request, parameters)
        return json_response(TokenSerializer.represent(token))

    def _for_application(self, request: HttpRequest, parameters: dict[str, str]) -> AccessToken:
        _require(parameters, "grantType", "clientID", "clientSecret")
        if parameters["grantType"] not in V1_GRANTS:
            raise _invalid(f"grantType: must be {' or '.join(V1_GRANTS)}.")
        client = ClientCredentials(parameters["clientID"], parameters["clientSecret"])
        return issue(_require_application(application_with(request, client), client))

    def _for_user(self, request: HttpRequest, parameters: dict[str, str]) -> AccessToken:
        _require(parameters, "username", "password")
        if "clientSecret" in parameters:
            raise _invalid("clientSecret: can't be combined with the password of a user.")
        token = token_for(request, email=parameters["username"], password=parameters["password"])
        if token is None:
            raise _unauthorized(WRONG_USER)
        return token


class TokenV2View(OAuthView):
    """The client credentials grant (RFC 6749 §4.4): a form in, JSON out."""

    @extend_schema(request=GrantFormSerializer, responses={200: OAuthTokenSerializer, **REFUSALS})
    def post(self, request: HttpRequest) -> HttpResponse:
        """Get a token with OAuth 2.0.

        The client credentials grant (RFC 6749 §4.4). Client ID and secret are in the form or in a
        Basic header.
        """
        form = self.form(request)
        grant_type = required(form, "grant_type")
        if grant_type == "client_credentials":
            token = issue(authenticate_client(request, form))
        elif grant_type == "password" and settings.PASSWORD_GRANT:
            token = self._for_user(request, form)
        else:
            raise OAuthError(
                "unsupported_grant_type", f"grant_type must be {' or '.join(grant_types())}."
            )
        # The requested scope has no effect, so the response states the granted one (RFC 6749 §3.3).
        if "scope" in form:
            token = token._replace(scope=SCOPE)
        return json_response(OAuthTokenSerializer.represent(token))

    def _for_user(self, request: HttpRequest, form: dict[str, str]) -> AccessToken:
        email, password = required(form, "username"), required(form, "password")
        if "client_secret" in form or "HTTP_AUTHORIZATION" in request.META:
            raise OAuthError("unauthorized_client", "Applications must use client_credentials.")
        token = token_for(request, email=email, password=password)
        if token is None:
            raise OAuthError("invalid_grant", WRONG_USER)
        return token


class AppTokenView(JSONGrantView):
    """Exchanges an application's ID, name and secret for tokens. Deprecated, but still in use.

    `id` is the application's ID or, from some clients, its name.
    """

    # The official documents call it deprecated; the date is that of the first client, runapy 1.218.0.
    deprecation = Deprecation(datetime(2025, 2, 20, tzinfo=UTC), successor="/api/v1/token")
    spellings = {"id": "id", "name": "name", "secret": "secret"}

    @extend_schema(request=AppTokenRequestSerializer, responses=AppTokensSerializer)
    def post(self, request: HttpRequest) -> HttpResponse:
        """Get an access token and an ID token.

        Exchanges an application's ID, name and secret for tokens. `id` can be the name too. Deprecated:
        use `/api/v1/token` or `/api/v2/token`.
        """
        parameters = self.parameters(request)
        _require(parameters, "id", "name", "secret")
        client = ClientCredentials(parameters["name"], parameters["secret"])
        application = _require_application(
            application_with(request, client, known_as=parameters["id"]), client
        )
        token = issue(application)
        members = {"access_token": token.text, "id_token": issue_id_token(application)}
        return json_response(AppTokensSerializer.represent(members))


def _require(parameters: dict[str, str], *names: str) -> None:
    if missing := [name for name in names if name not in parameters]:
        raise Refusal(error(400, f"{', '.join(missing)}: required."))


def _require_application(
    application: FoundApplication | None, client: ClientCredentials
) -> FoundApplication:
    if application is None:
        raise _unauthorized(describe_refusal(client))
    return application


def _unauthorized(details: str) -> Refusal:
    response = error(401, details)
    response["WWW-Authenticate"] = CHALLENGE
    return Refusal(response)


def _invalid(details: str) -> Refusal:
    return Refusal(error(400, details, message=INVALID))
