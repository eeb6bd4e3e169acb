"""Endpoints for verifying tokens: JWKS, metadata, introspection and revocation."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from applications.models import Application, SigningKey
from applications.oauth.client_authentication import is_usable_from
from applications.oauth.keyring import SIGNS_AFTER_SECONDS
from applications.oauth.lookups import FoundApplication
from applications.oauth.password_grant import get_enabled_principal
from applications.oauth.serializers import (
    IntrospectionSerializer,
    MetadataSerializer,
    TokenFormSerializer,
)
from applications.oauth.tokens import (
    ALGORITHM,
    InvalidToken,
    application_of,
    revoke,
    verified_claims,
)
from applications.oauth.views.base import (
    REFUSALS,
    SCOPE,
    OAuthError,
    OAuthView,
    authenticate_client,
    grant_types,
    required,
)
from applications.oauth.views.credentials import application_without_login, json_response
from runai_access.api.serializers import ResponseSerializer
from runai_access.compression import allow_compression

CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post"]
# Cached key documents must expire before a key that they lack becomes active.
MAX_AGE_SECONDS = SIGNS_AFTER_SECONDS // 2
# An empty object, because some clients parse each response as JSON.
REVOKED = OpenApiResponse(
    OpenApiTypes.OBJECT, description="The token is revoked, or was not valid."
)


def metadata() -> dict[str, Any]:
    """Return the members of both metadata documents.

    Empty lists are omitted (RFC 8414 §3.2). `response_types_supported` is required, so it is `none`.
    """
    base = settings.PUBLIC_URL
    return {
        "issuer": base,
        "token_endpoint": f"{base}/api/v2/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "introspection_endpoint": f"{base}/oauth2/introspect",
        "revocation_endpoint": f"{base}/oauth2/revoke",
        "grant_types_supported": grant_types(),
        "response_types_supported": ["none"],
        "scopes_supported": [SCOPE],
        "token_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "introspection_endpoint_auth_methods_supported": [*CLIENT_AUTHENTICATION, "Bearer"],
        "revocation_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["iss", "aud", "sub", "iat", "exp"],
    }


def jwks() -> dict[str, Any]:
    """Return the public signing keys, including one that is not active yet (RFC 7517)."""
    return {"keys": [key.public_jwk for key in SigningKey.objects.all()]}


class DocumentView(APIView):
    """A public, cacheable document, also for scripts of other sites (CORS)."""

    tag = "Tokens"
    authentication_classes = ()
    permission_classes = ()
    http_method_names = ["get", "head", "options"]
    errors = {"GET": (400,)}
    resource = "the document"
    document: Callable[[], dict[str, Any]] = staticmethod(metadata)
    serializer: type[ResponseSerializer] = MetadataSerializer

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of the method."""
        return {"GET": self.serializer}

    def get(self, request: Request) -> Response:
        """Get {resource}.

        Anyone can read it. `Cache-Control` sets how long clients can cache it.
        """
        headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
        return allow_compression(
            Response(self.serializer.represent(self.document()), headers=headers)
        )

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # DRF's request
        """Answer a CORS preflight request (Fetch §3.2.2)."""
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS"}
        return Response(status=204, headers={**allowed, "Access-Control-Allow-Headers": "*"})

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Access-Control-Allow-Origin": "*"}


class TokenManagementView(OAuthView):
    """A view in which an authenticated application sends a token."""

    security = ({"client": []}, {"bearer": []}, {})

    def authenticated_client(
        self, request: HttpRequest, form: dict[str, str]
    ) -> Application | FoundApplication:
        """Return the caller, by its client credentials or its own bearer token."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return authenticate_client(request, form, application_without_login)
        try:
            application = application_of(text.strip())
        except InvalidToken:
            # RFC 7662 §2.3: like any other resource protected by bearer tokens.
            raise OAuthError("invalid_token", "The bearer token is not valid.") from None
        origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
        if not is_usable_from(application, origin):
            raise OAuthError("invalid_token", "The application can't be used from this address.")
        return application


class IntrospectView(TokenManagementView):
    """Token introspection (RFC 7662)."""

    @extend_schema(
        request=TokenFormSerializer, responses={200: IntrospectionSerializer, **REFUSALS}
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Introspect a token.

        Returns whether the token is valid now, and its claims (RFC 7662). Any application can call it.
        """
        form = self.form(request)
        self.authenticated_client(request, form)
        try:
            claims = verified_claims(required(form, "token"))
            get_enabled_principal(claims)
        except InvalidToken:
            return json_response(IntrospectionSerializer.represent({"active": False}))
        members = {**claims, "active": True, "token_type": "Bearer"}
        return json_response(IntrospectionSerializer.represent(members))


class RevokeView(TokenManagementView):
    """Token revocation (RFC 7009)."""

    @extend_schema(request=TokenFormSerializer, responses={200: REVOKED, **REFUSALS})
    def post(self, request: HttpRequest) -> HttpResponse:
        """Revoke a token.

        Revokes one of the application's own tokens immediately (RFC 7009).
        """
        form = self.form(request)
        application = self.authenticated_client(request, form)
        try:
            claims = verified_claims(required(form, "token"))
        except InvalidToken:
            return json_response({})  # §2.2: invalid tokens need no revocation
        if claims["sub"] != str(application.id):
            raise OAuthError("unauthorized_client", "The token belongs to another application.")
        revoke(claims)
        return json_response({})
