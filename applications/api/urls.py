"""Addresses of the applications and token endpoints."""

from datetime import UTC, datetime
from typing import Any

from django.urls import URLPattern, path

from applications.api.resources import ApplicationSecretView, ApplicationsView, ApplicationView
from applications.api.serializers import (
    ClientSecretSerializer,
    CreatedApplicationSerializer,
    CreatedServiceAccountSerializer,
    SecretSerializer,
)
from applications.oauth.serializers import JWKSSerializer, OpenIDMetadataSerializer
from applications.oauth.views.discovery import (
    DocumentView,
    IntrospectView,
    RevokeView,
    jwks,
)
from applications.oauth.views.tokens import AppTokenView, TokenV1View, TokenV2View
from runai_access.api.deprecation import Deprecation
from runai_access.api.serializers import ResponseSerializer

# The document of 2.24 calls applications deprecated; the day is that of its client, runapy 1.224.0.
_APPLICATIONS = Deprecation(
    datetime(2025, 12, 15, tzinfo=UTC), successor="/api/v1/service-accounts", prefix="/api/v1/apps"
)


def _resource(
    prefix: str,
    resource: str,
    *,
    created: type[ResponseSerializer],
    secret: type[ResponseSerializer],
    deprecation: Deprecation | None = None,
) -> list[URLPattern]:
    described = {"resource": resource, "deprecation": deprecation}
    return [
        path(
            prefix,
            ApplicationsView.as_view(created_serializer=created, **described),
            name=prefix,
        ),
        path(
            f"{prefix}/<str:application_id>",
            ApplicationView.as_view(**described),
            name=f"{prefix}-one",
        ),
        path(
            f"{prefix}/<str:application_id>/secret",
            ApplicationSecretView.as_view(secret_serializer=secret, **described),
            name=f"{prefix}-secret",
        ),
    ]


def _document(name: str, resource: str, **of_view: Any) -> URLPattern:
    view = DocumentView.as_view(resource=resource, **of_view)
    return path(f".well-known/{name}", view, name=name)


# The busiest addresses, to be met before all others.
first = [
    path("api/v1/token", TokenV1View.as_view(), name="token-v1"),
    path("api/v2/token", TokenV2View.as_view(), name="token-v2"),
]

app_name = "applications-api"
urlpatterns = [
    *_resource(
        "api/v1/apps",
        "application",
        created=CreatedApplicationSerializer,
        secret=SecretSerializer,
        deprecation=_APPLICATIONS,
    ),
    *_resource(
        "api/v1/service-accounts",
        "service account",
        created=CreatedServiceAccountSerializer,
        secret=ClientSecretSerializer,
    ),
    path("v1/k8s/auth/oauth/apptoken", AppTokenView.as_view(), name="app-token"),
    path("oauth2/introspect", IntrospectView.as_view(), name="introspect"),
    path("oauth2/revoke", RevokeView.as_view(), name="revoke"),
    _document("jwks.json", "the public signing keys", document=jwks, serializer=JWKSSerializer),
    _document("oauth-authorization-server", "the authorization server metadata"),
    _document(
        "openid-configuration",
        "the OpenID provider metadata",
        serializer=OpenIDMetadataSerializer,
    ),
]
