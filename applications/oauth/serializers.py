"""Requests and responses of the token endpoints, and the discovery documents."""

from rest_framework import serializers

from runai_access.api.serializers import ConstantField, ResponseSerializer


class TokenSerializer(ResponseSerializer):
    """A token and its lifetime in seconds."""

    accessToken = serializers.CharField(source="text")
    expiresIn = serializers.IntegerField(source="expires_in")


class OAuthTokenSerializer(ResponseSerializer):
    """A token response (RFC 6749 §5.1)."""

    access_token = serializers.CharField(source="text")
    token_type = ConstantField("Bearer", serializers.CharField())
    expires_in = serializers.IntegerField()
    scope = serializers.CharField(required=False)


class AppTokensSerializer(ResponseSerializer):
    """An access token and its ID token."""

    access_token = serializers.CharField()
    id_token = serializers.CharField()


class TokenRequestSerializer(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """A token request in JSON. Older clients send `appID` and `appSecret`. Case is ignored in names."""

    grantType = serializers.ChoiceField(choices=["app_token", "client_credentials"])
    clientID = serializers.CharField()
    clientSecret = serializers.CharField()


class GrantFormSerializer(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """A token request. Client ID and secret are in the form or in a Basic header."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    client_id = serializers.CharField(required=False, allow_blank=True)
    client_secret = serializers.CharField(required=False, allow_blank=True)
    scope = serializers.CharField(required=False, allow_blank=True)


class TokenFormSerializer(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """The token to introspect or revoke."""

    token = serializers.CharField()
    client_id = serializers.CharField(required=False, allow_blank=True)
    client_secret = serializers.CharField(required=False, allow_blank=True)


class AppTokenRequestSerializer(serializers.Serializer):  # type: ignore[type-arg]  # describes a body only
    """A token request of the deprecated endpoint."""

    id = serializers.CharField()
    name = serializers.CharField()
    secret = serializers.CharField()


class JWKSerializer(ResponseSerializer):
    """A public signing key (RFC 7517, RFC 7518 §6.2)."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    y = serializers.CharField()
    kid = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()


class JWKSSerializer(ResponseSerializer):
    """The public keys of all valid tokens, and the next signing key."""

    keys = JWKSerializer(many=True)


def _texts() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField())


class MetadataSerializer(ResponseSerializer):
    """Authorization server metadata (RFC 8414 §2)."""

    issuer = serializers.URLField()
    token_endpoint = serializers.URLField()
    jwks_uri = serializers.URLField()
    introspection_endpoint = serializers.URLField()
    revocation_endpoint = serializers.URLField()
    grant_types_supported = _texts()
    response_types_supported = _texts()
    scopes_supported = _texts()
    token_endpoint_auth_methods_supported = _texts()
    introspection_endpoint_auth_methods_supported = _texts()
    revocation_endpoint_auth_methods_supported = _texts()


class OpenIDMetadataSerializer(MetadataSerializer):
    """OpenID provider metadata for token verifiers (OpenID Connect Discovery 1.0 §3)."""

    # `openid` is not supported, and a list without it is invalid.
    scopes_supported = None  # type: ignore[assignment]  # not a member
    subject_types_supported = _texts()
    id_token_signing_alg_values_supported = _texts()
    claims_supported = _texts()


class IntrospectionSerializer(ResponseSerializer):
    """The claims of a token (RFC 7662 §2.2). Invalid tokens have only `active`."""

    active = serializers.BooleanField()
    token_type = serializers.CharField(required=False)
    iss = serializers.CharField(required=False)
    aud = serializers.CharField(required=False)
    sub = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)
    jti = serializers.CharField(required=False)


class OAuthErrorSerializer(ResponseSerializer):
    """An OAuth error (RFC 6749 §5.2)."""

    error = serializers.CharField()
    error_description = serializers.CharField(required=False)
