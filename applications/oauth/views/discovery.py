"""What lets others check our tokens: JWKS, metadata, introspection and revocation."""

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
from applications.oauth.keyring import SIGNS_AFTER_SECONDS
from applications.oauth.password_grant import get_enabled_user
from applications.oauth.serializers import (
    IntrospectionSerializer,
    MetadataSerializer,
    TokenFormSerializer,
)
from applications.oauth.tokens import InvalidToken, application_of, revoke, verified_claims
from applications.oauth.views.base import (
    REFUSALS,
    SCOPE,
    OAuthError,
    OAuthView,
    authenticate_client,
    required,
)
from applications.oauth.views.credentials import answer, asking_application
from runai_access.api.serializers import ResponseSerializer
from runai_access.compression import allow_compression

CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post"]
# A kept copy of the keys must be gone before a key that is not in it signs.
KEPT_SECONDS = SIGNS_AFTER_SECONDS // 2
# An empty object: some clients read every answer as JSON.
REVOKED = OpenApiResponse(OpenApiTypes.OBJECT, description="Revoked, or not valid anyway.")


def metadata() -> dict[str, Any]:
    """Return the metadata of both documents; each member names what is really served.

    A list with no element is left out (RFC 8414 §3.2). No response type is served; `none` says so,
    because the member is required.
    """
    base = settings.PUBLIC_URL
    return {
        "issuer": base,
        "token_endpoint": f"{base}/api/v2/token",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "introspection_endpoint": f"{base}/oauth2/introspect",
        "revocation_endpoint": f"{base}/oauth2/revoke",
        "grant_types_supported": [
            "client_credentials",
            *(["password"] if settings.PASSWORD_GRANT else []),
        ],
        "response_types_supported": ["none"],
        "scopes_supported": [SCOPE],
        "token_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "introspection_endpoint_auth_methods_supported": [*CLIENT_AUTHENTICATION, "Bearer"],
        "revocation_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["iss", "aud", "sub", "iat", "exp"],
    }


def jwks() -> dict[str, Any]:
    """Return the public halves of the signing keys, the coming one included (RFC 7517)."""
    return {"keys": [key.public_jwk for key in SigningKey.objects.all()]}


class DocumentView(APIView):
    """A document that anyone may read and keep for a while, scripts of other sites too (CORS)."""

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

        Anyone can read it. `Cache-Control` says how long a copy may be kept.
        """
        keeping = {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}
        return allow_compression(
            Response(self.serializer.represent(self.document()), headers=keeping)
        )

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # DRF's request
        """Answer a preflight (Fetch §3.2.2): there is nothing here to send or to sign in for."""
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS"}
        return Response(status=204, headers={**allowed, "Access-Control-Allow-Headers": "*"})

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Access-Control-Allow-Origin": "*"}


class TokenQuestionView(OAuthView):
    """A view to which an application comes with a token."""

    security = ({"client": []}, {"bearer": []}, {})

    def asker(self, request: HttpRequest, form: dict[str, str]) -> Application:
        """Return who asks: by client credentials, or by a bearer token of its own."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return authenticate_client(request, form, asking_application)
        try:
            return application_of(text.strip())
        except InvalidToken:
            # RFC 7662 §2.3: as any resource that is protected by bearer tokens.
            raise OAuthError("invalid_token", "The bearer token is not valid.") from None


class IntrospectView(TokenQuestionView):
    """Introspection (RFC 7662): does this token hold right now?"""

    @extend_schema(
        request=TokenFormSerializer, responses={200: IntrospectionSerializer, **REFUSALS}
    )
    def post(self, request: HttpRequest) -> HttpResponse:
        """Introspect a token.

        Answers whether the token is valid now and what it says (RFC 7662). Any application can ask.
        """
        form = self.form(request)
        self.asker(request, form)
        try:
            claims = verified_claims(required(form, "token"))
            get_enabled_user(claims)
        except InvalidToken:
            return answer(IntrospectionSerializer.represent({"active": False}))
        members = {**claims, "active": True, "token_type": "Bearer"}
        return answer(IntrospectionSerializer.represent(members))


class RevokeView(TokenQuestionView):
    """Revocation (RFC 7009): an application gives one of its own tokens back."""

    @extend_schema(request=TokenFormSerializer, responses={200: REVOKED, **REFUSALS})
    def post(self, request: HttpRequest) -> HttpResponse:
        """Revoke a token.

        Revokes one of the application's own tokens immediately (RFC 7009).
        """
        form = self.form(request)
        application = self.asker(request, form)
        try:
            claims = verified_claims(required(form, "token"))
        except InvalidToken:
            return answer({})  # §2.2: a token that is not valid needs no revoking
        if claims["sub"] != str(application.pk):
            raise OAuthError("unauthorized_client", "The token is another application's.")
        revoke(claims)
        return answer({})
