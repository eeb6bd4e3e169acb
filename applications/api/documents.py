"""What the applications and token endpoints answer, described for the OpenAPI document."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from applications.actions import SHORTEST_TOKEN_LIFETIME


class ApplicationDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """An application, or service account: one thing under two names."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    clientId = serializers.CharField()
    tenantId = serializers.CharField()
    enabled = serializers.BooleanField()
    createdBy = serializers.CharField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    lastLogin = serializers.DateTimeField(allow_null=True)
    tokenLifetime = serializers.IntegerField(allow_null=True)

    class Meta:
        ref_name = "Application"


# A serializer can't say "at least one of these".
CHANGE = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "enabled": {"type": "boolean"},
        "tokenLifetime": {
            "type": ["integer", "null"],
            "minimum": SHORTEST_TOKEN_LIFETIME,
            "maximum": settings.TOKEN_LIFETIME_MAX_SECONDS,
            "description": "Seconds that its tokens live; null for the installation's setting.",
        },
    },
}


class SecretDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """A new secret, shown in this answer and never again; the member is named by the endpoint."""

    secret = serializers.CharField(required=False)
    clientSecret = serializers.CharField(required=False)

    class Meta:
        ref_name = "Secret"


class NewApplicationDocument(SecretDocument):
    """A created application with its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    clientId = serializers.CharField()

    class Meta:
        ref_name = "CreatedApplication"


class TokenDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """A token and its lifetime in seconds."""

    accessToken = serializers.CharField()
    expiresIn = serializers.IntegerField()

    class Meta:
        ref_name = "Token"


class OAuthTokenDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """A token as RFC 6749 §5.1 words it."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()

    class Meta:
        ref_name = "OAuthToken"


class AppTokensDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """An access token and the ID token that goes with it."""

    access_token = serializers.CharField()
    id_token = serializers.CharField()

    class Meta:
        ref_name = "AppTokens"


class TokenRequestDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """The body of a JSON grant. `appID` and `appSecret`, in any case, are the older spellings."""

    grantType = serializers.ChoiceField(choices=["app_token", "client_credentials"])
    clientID = serializers.CharField()
    clientSecret = serializers.CharField()

    class Meta:
        ref_name = "TokenRequest"


class GrantFormDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """The form of a grant; client ID and secret stand here or in a Basic header."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    client_id = serializers.CharField(required=False, allow_blank=True)
    client_secret = serializers.CharField(required=False, allow_blank=True)

    class Meta:
        ref_name = "GrantForm"


class TokenFormDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """The form that asks about a token, or gives it back."""

    token = serializers.CharField()
    client_id = serializers.CharField(required=False, allow_blank=True)
    client_secret = serializers.CharField(required=False, allow_blank=True)

    class Meta:
        ref_name = "TokenForm"


class AppTokenRequestDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """The body of the deprecated grant."""

    id = serializers.CharField()
    name = serializers.CharField()
    secret = serializers.CharField()

    class Meta:
        ref_name = "AppTokenRequest"


class IntrospectionDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """What there is to know of a token (RFC 7662 §2.2); only `active` where it does not hold."""

    active = serializers.BooleanField()
    token_type = serializers.CharField(required=False)
    iss = serializers.CharField(required=False)
    aud = serializers.CharField(required=False)
    sub = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)
    jti = serializers.CharField(required=False)

    class Meta:
        ref_name = "Introspection"


class OAuthErrorDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """A refusal as RFC 6749 §5.2 words it."""

    error = serializers.CharField()
    error_description = serializers.CharField(required=False)

    class Meta:
        ref_name = "OAuthError"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library's own registry
    """Tells the schema what the bearer authentication is."""

    target_class = "applications.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
