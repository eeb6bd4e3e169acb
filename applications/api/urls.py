"""Addresses of the applications and token endpoints."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.urls import URLPattern, path
from rest_framework.serializers import Serializer

from applications.api.documents import JWKSDocument, MetadataDocument, OpenIDDocument
from applications.api.resources import ApplicationSecretView, ApplicationsView, ApplicationView
from applications.oauth.views.discovery import (
    DocumentView,
    IntrospectView,
    RevokeView,
    jwks,
    metadata,
    openid_configuration,
)
from applications.oauth.views.tokens import AppTokenView, TokenV1View, TokenV2View
from runai_access.api.deprecation import Deprecation

# The document of 2.24 calls applications deprecated; the day is that of its client, runapy 1.224.0.
_APPLICATIONS = Deprecation(
    datetime(2025, 12, 15, tzinfo=UTC), successor="/api/v1/service-accounts", prefix="/api/v1/apps"
)


def _resource(
    prefix: str, resource: str, secret_member: str, deprecation: Deprecation | None = None
) -> list[URLPattern]:
    described = {"resource": resource, "deprecation": deprecation}
    return [
        path(
            prefix,
            ApplicationsView.as_view(secret_member=secret_member, **described),
            name=prefix,
        ),
        path(
            f"{prefix}/<str:application_id>",
            ApplicationView.as_view(**described),
            name=f"{prefix}-one",
        ),
        path(
            f"{prefix}/<str:application_id>/secret",
            ApplicationSecretView.as_view(secret_member=secret_member, **described),
            name=f"{prefix}-secret",
        ),
    ]


def _document(
    name: str, resource: str, document: Callable[[], dict[str, Any]], described: Serializer[Any]
) -> URLPattern:
    view = DocumentView.as_view(
        resource=resource, document=document, answer_documents={"GET": described}
    )
    return path(f".well-known/{name}", view, name=name)


# The busiest addresses, to be met before all others.
first = [
    path("api/v1/token", TokenV1View.as_view(), name="token-v1"),
    path("api/v2/token", TokenV2View.as_view(), name="token-v2"),
]

app_name = "applications-api"
urlpatterns = [
    *_resource("api/v1/apps", "application", "secret", _APPLICATIONS),
    *_resource("api/v1/service-accounts", "service account", "clientSecret"),
    path("v1/k8s/auth/oauth/apptoken", AppTokenView.as_view(), name="app-token"),
    path("oauth2/introspect", IntrospectView.as_view(), name="introspect"),
    path("oauth2/revoke", RevokeView.as_view(), name="revoke"),
    _document("jwks.json", "the public signing keys", jwks, JWKSDocument()),
    _document(
        "oauth-authorization-server",
        "the authorization server metadata",
        metadata,
        MetadataDocument(),
    ),
    _document(
        "openid-configuration",
        "the OpenID provider metadata",
        openid_configuration,
        OpenIDDocument(),
    ),
]
