"""URLs of the token endpoints and of the discovery documents."""

from typing import Any

from django.urls import URLPattern, path

from applications.oauth.serializers import JWKSSerializer, OpenIDMetadataSerializer
from applications.oauth.views.discovery import (
    DocumentView,
    IntrospectView,
    RevokeView,
    jwks,
)
from applications.oauth.views.tokens import AppTokenView, TokenV1View, TokenV2View


def _document(name: str, resource: str, **view_options: Any) -> URLPattern:
    view = DocumentView.as_view(resource=resource, **view_options)
    return path(f".well-known/{name}", view, name=name)


# The most frequent URLs come first, because Django tries the patterns in order.
first = [
    path("api/v1/token", TokenV1View.as_view(), name="token-v1"),
    path("api/v2/token", TokenV2View.as_view(), name="token-v2"),
]

app_name = "oauth"
urlpatterns = [
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
