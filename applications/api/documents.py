"""Answers of the applications endpoints, described for the OpenAPI document."""

from django.conf import settings
from rest_framework import serializers

from applications.actions import MIN_TOKEN_LIFETIME


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
            "minimum": MIN_TOKEN_LIFETIME,
            "maximum": settings.TOKEN_LIFETIME_MAX_SECONDS,
            "description": "Seconds that its tokens live; null for the installation's setting.",
        },
    },
}


class SecretDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """A new secret, shown in this answer and never again."""

    secret = serializers.CharField()

    class Meta:
        ref_name = "Secret"


class ClientSecretDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """A new secret under its newer name, shown in this answer and never again."""

    clientSecret = serializers.CharField()

    class Meta:
        ref_name = "ClientSecret"


class CreatedDocument(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """What an answer tells of a new application besides the secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    clientId = serializers.CharField()


class NewApplicationDocument(CreatedDocument, SecretDocument):
    """A created application with its secret."""

    class Meta:
        ref_name = "CreatedApplication"


class NewServiceAccountDocument(CreatedDocument, ClientSecretDocument):
    """A created service account with its secret."""

    class Meta:
        ref_name = "CreatedServiceAccount"


# By the name that an address has for the secret.
SECRET = {"secret": SecretDocument(), "clientSecret": ClientSecretDocument()}
CREATED = {"secret": NewApplicationDocument(), "clientSecret": NewServiceAccountDocument()}
