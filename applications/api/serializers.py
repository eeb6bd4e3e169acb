"""Responses of the applications endpoints. Newer clients call applications service accounts."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from runai_access.api.serializers import ConstantField, ResponseSerializer, TimeField, time_text

OWNER_TYPES = ["user", "group"]
TENANT_ID = str(settings.ACCOUNT_ID)
# The columns of `application_row`.
COLUMNS = (
    "pk",
    "subject__name",
    "subject__enabled",
    "created_by",
    "created_at",
    "updated_at",
    "last_login",
    "token_lifetime",
    "owner__name",
    "owner__type",
    "owner__retired_at",
    "description",
    "labels",
    "allowed_addresses",
    "secret_count",
    "oldest_secret_at",
    "next_secret_expiry",
    "contained_at",
    "dormancy",
    "dormancy_since",
)


class ApplicationSerializer(ResponseSerializer):
    """An application. Newer clients call it a service account."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    clientId = serializers.CharField(source="client_id")
    tenantId = ConstantField(TENANT_ID, serializers.CharField())
    enabled = serializers.BooleanField()
    createdBy = serializers.CharField(source="created_by")
    createdAt = TimeField(source="created_at")
    updatedAt = TimeField(source="updated_at")
    lastLogin = TimeField(source="last_login", allow_null=True)
    tokenLifetime = serializers.IntegerField(source="token_lifetime", allow_null=True)
    owner = serializers.CharField(source="living_owner_name", allow_null=True)
    ownerType = serializers.ChoiceField(
        source="living_owner_type", choices=OWNER_TYPES, allow_null=True
    )
    description = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    allowedAddresses = serializers.ListField(child=serializers.CharField(), source="networks")
    secretCount = serializers.IntegerField(source="secret_count")
    oldestSecretAt = TimeField(source="oldest_secret_at", allow_null=True)
    nextSecretExpiry = TimeField(source="next_secret_expiry", allow_null=True)
    containedAt = TimeField(source="contained_at", allow_null=True)
    dormancy = serializers.ChoiceField(choices=["warned", "disabled"], allow_null=True)
    dormancySince = TimeField(source="dormancy_since", allow_null=True)


def application_row(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the same as ApplicationSerializer, for one row that starts with COLUMNS.

    Responses with a thousand applications are common, and this makes them a quarter faster.
    """
    id_, name, enabled, created_by, created_at, updated_at, last_login, *others = row
    token_lifetime, owner, owner_type, owner_retired_at, description, labels, *others = others
    networks, secret_count, oldest_secret_at, next_secret_expiry, *others = others
    contained_at, dormancy, dormancy_since, *_ = others
    has_owner = owner_retired_at is None
    return {
        "id": str(id_),
        "name": name,
        "clientId": name,
        "tenantId": TENANT_ID,
        "enabled": enabled,
        "createdBy": created_by,
        "createdAt": time_text(created_at),
        "updatedAt": time_text(updated_at),
        "lastLogin": last_login and time_text(last_login),
        "tokenLifetime": token_lifetime,
        "owner": owner if has_owner else None,
        "ownerType": owner_type if has_owner else None,
        "description": description,
        "labels": labels,
        "allowedAddresses": networks.split(),
        "secretCount": secret_count,
        "oldestSecretAt": oldest_secret_at and time_text(oldest_secret_at),
        "nextSecretExpiry": next_secret_expiry and time_text(next_secret_expiry),
        "containedAt": contained_at and time_text(contained_at),
        "dormancy": dormancy,
        "dormancySince": dormancy_since and time_text(dormancy_since),
    }


class SecretSerializer(ResponseSerializer):
    """A new client secret. It is not shown again."""

    secret = serializers.CharField()


class ClientSecretSerializer(ResponseSerializer):
    """A new client secret, under the newer member name. It is not shown again."""

    clientSecret = serializers.CharField(source="secret")


class StoredSecretSerializer(ResponseSerializer):
    """A client secret without its text. The ID is part of the text, except in secrets of 0.1.0."""

    id = serializers.CharField(source="secret.id")
    label = serializers.CharField(  # type: ignore[assignment]  # not the label of the field
        source="secret.label"
    )
    status = serializers.ChoiceField(source="secret.status", choices=["live", "expired", "revoked"])
    createdBy = serializers.CharField(source="secret.created_by")
    createdAt = TimeField(source="secret.created_at")
    expiresAt = TimeField(source="secret.expires_at", allow_null=True)
    revokedBy = serializers.CharField(source="secret.revoked_by")
    revokedAt = TimeField(source="secret.revoked_at", allow_null=True)
    lastUsedAt = TimeField(source="last_used_at", allow_null=True)
    safeToRevoke = serializers.BooleanField(source="is_safe_to_revoke")


class SecretCallerSerializer(ResponseSerializer):
    """A caller that used a client secret in the last 30 days; without an address, all others."""

    address = serializers.CharField()
    userAgent = serializers.CharField(source="agent")
    uses = serializers.IntegerField(source="count")
    lastUsedAt = TimeField(source="last_at")


class SecretDaySerializer(ResponseSerializer):
    """The number of uses of a client secret on a day, in UTC."""

    day = serializers.DateField()
    uses = serializers.IntegerField()


class ClientSecretDetailsSerializer(StoredSecretSerializer):
    """A client secret without its text, and its use: by caller, and on each of the last 90 days."""

    callers = SecretCallerSerializer(many=True)
    days = SecretDaySerializer(many=True, source="uses_per_day")


class _AddedSecretSerializer(ResponseSerializer):
    id = serializers.CharField(source="stored.id")
    label = serializers.CharField(source="stored.label")  # type: ignore[assignment]  # see above
    expiresAt = TimeField(source="stored.expires_at", allow_null=True)


class AddedSecretSerializer(_AddedSecretSerializer):
    """A new client secret. Its text is not shown again."""

    secret = serializers.CharField()


class AddedClientSecretSerializer(_AddedSecretSerializer):
    """A new client secret, under the newer member name. Its text is not shown again."""

    clientSecret = serializers.CharField(source="secret")


class _CreatedSerializer(ResponseSerializer):
    id = serializers.UUIDField(source="application.id")
    name = serializers.CharField(source="application.name")
    clientId = serializers.CharField(source="application.client_id")


class CreatedApplicationSerializer(_CreatedSerializer):
    """A new application with its client secret."""

    secret = serializers.CharField()


class CreatedServiceAccountSerializer(_CreatedSerializer):
    """A new service account with its client secret."""

    clientSecret = serializers.CharField(source="secret")


class IncidentCallerSerializer(ResponseSerializer):
    """A caller that used a client secret; without an address, all others."""

    secretId = serializers.CharField(source="secret.id")
    address = serializers.CharField()
    userAgent = serializers.CharField(source="agent")
    uses = serializers.IntegerField(source="count")
    lastUsedAt = TimeField(source="last_at")


class IncidentEventSerializer(ResponseSerializer):
    """An audited request of an application, or a failed sign-in with its client ID or secret's ID."""

    time = TimeField()
    action = serializers.CharField()
    entityType = serializers.CharField(source="entity_type")
    entityId = serializers.CharField(source="entity_id")
    entityName = serializers.CharField(source="entity_name")
    reason = serializers.CharField()
    changes = serializers.DictField()
    address = serializers.CharField(source="source_ip", allow_null=True)
    method = serializers.CharField(source="http_method")
    path = serializers.CharField()


class IncidentReportSerializer(ResponseSerializer):
    """What an application did since a time, the latest first.

    Callers who were last seen before `callersSince` can be missing, and events before `auditedSince`.
    """

    since = TimeField()
    callers = IncidentCallerSerializer(many=True)
    callersSince = TimeField(source="callers_since")
    operations = IncidentEventSerializer(many=True, allow_null=True)
    refusals = IncidentEventSerializer(many=True, allow_null=True)
    auditedSince = TimeField(source="audited_since", allow_null=True)


class RuleNameSerializer(ResponseSerializer):
    """An access rule that was deleted, by the names of its role and scope."""

    role = serializers.CharField()
    scope = serializers.CharField()


class DeletedApplicationSerializer(ResponseSerializer):
    """A deleted application that can be restored."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    enabled = serializers.BooleanField(source="was_enabled")
    createdBy = serializers.CharField(source="created_by")
    createdAt = TimeField(source="created_at")
    lastLogin = TimeField(source="last_login", allow_null=True)
    deletedBy = serializers.CharField(source="deleted_by")
    deletedAt = TimeField(source="deleted_at")
    restorableUntil = TimeField(source="restorable_until")
    accessRules = RuleNameSerializer(source="deleted_rules", many=True, allow_null=True)


class RestoredApplicationSerializer(ResponseSerializer):
    """A restored application, and its rules that expired, or whose role or scope no longer exists."""

    application = ApplicationSerializer()
    lostAccessRules = RuleNameSerializer(source="lost_rules", many=True)


class CopiedRuleSerializer(ResponseSerializer):
    """An access rule of another application, by the names of its role and scope."""

    role = serializers.CharField(source="role.name")
    scope = serializers.CharField(source="scope.label")
    expiresAt = TimeField(source="expires_at", allow_null=True)


class _CopiedSerializer(ResponseSerializer):
    id = serializers.UUIDField(source="issued.application.id")
    name = serializers.CharField(source="issued.application.name")
    clientId = serializers.CharField(source="issued.application.client_id")
    accessRules = CopiedRuleSerializer(source="rules.grantable", many=True)
    skippedAccessRules = CopiedRuleSerializer(source="rules.others", many=True)


class CopiedApplicationSerializer(_CopiedSerializer):
    """An application like another one. The caller can't grant `skippedAccessRules`."""

    secret = serializers.CharField(source="issued.secret")


class CopiedServiceAccountSerializer(_CopiedSerializer):
    """A service account like another one. The caller can't grant `skippedAccessRules`."""

    clientSecret = serializers.CharField(source="issued.secret")
