"""URLs of the token endpoints and of the discovery documents."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path
from rest_framework.serializers import Serializer

from applications.oauth.documents import JWKSDocument, MetadataDocument, OpenIDDocument
from applications.oauth.views.discovery import (
    DocumentView,
    IntrospectView,
    RevokeView,
    jwks,
    metadata,
    openid_configuration,
)
from applications.oauth.views.tokens import AppTokenView, TokenV1View, TokenV2View


def _document(
    name: str, resource: str, document: Callable[[], dict[str, Any]], described: Serializer[Any]
) -> URLPattern:
    view = DocumentView.as_view(
        resource=resource, document=document, answer_documents={"GET": described}
    )
    return path(f".well-known/{name}", view, name=name)


# The busiest URLs: they come first, because Django tries one pattern after the other.
first = [
    path("api/v1/token", TokenV1View.as_view(), name="token-v1"),
    path("api/v2/token", TokenV2View.as_view(), name="token-v2"),
]

app_name = "oauth"
urlpatterns = [
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
