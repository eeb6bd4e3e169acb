"""Responses of the audit log in the API (contract/README.md, Scopes)."""

import uuid

from django.conf import settings
from rest_framework import serializers

from runai_access.api.serializers import ConstantField, ResponseSerializer, TimeField
from runai_access.audit.models import AuditEvent

# The actions of the contract. It has none for denied reads.
ACTIONS = ("create", "update", "delete", "sign-in", "sign-out", "reset-password")


class AuditEventSerializer(ResponseSerializer):
    """An audit event, with all members that any version of the official client requires.

    Commands have no request: `source_ip` and `url` are empty, `http_method` is the method of the same
    action in the API, and `http_status_code` is 200.
    """

    id = serializers.SerializerMethodField()
    tenant_id = ConstantField(str(settings.ACCOUNT_ID), serializers.CharField())
    timestamp = TimeField(source="time")
    subject = serializers.CharField(source="subject_name")
    subject_type = serializers.ChoiceField(source="response_type", choices=["User", "App"])
    action = serializers.ChoiceField(choices=ACTIONS)
    result = serializers.ChoiceField(choices=["Succeeded", "Failed"])
    entity_type = serializers.CharField()
    entity_id = serializers.CharField()
    entity_name = serializers.CharField()
    metadata = serializers.SerializerMethodField()
    source_ip = serializers.SerializerMethodField()
    http_method = serializers.CharField(source="response_method")
    url = serializers.CharField(source="response_url")
    http_status_code = serializers.SerializerMethodField()
    request_id = serializers.UUIDField(required=False)

    def get_id(self, event: AuditEvent) -> uuid.UUID:
        return uuid.UUID(int=event.pk)

    def get_metadata(self, event: AuditEvent) -> dict[str, str]:
        return {"reason": event.reason} if event.reason else {}

    def get_source_ip(self, event: AuditEvent) -> str:
        return event.source_ip or ""

    # The status is not stored, because an event is written before the response. It is derived from
    # method, path and action. Commands and changes on pages count as 200, even if a page redirects. A
    # throttled sign-in counts as 401, like all failures.
    def get_http_status_code(self, event: AuditEvent) -> int:
        if event.result == AuditEvent.Result.FAILED:
            return 401 if event.action == "sign-in" else 403
        if event.http_method == "DELETE":
            return 204
        is_api_create = event.action == "create" and event.path.startswith("/api/")
        return 201 if is_api_create and "/batch" not in event.path else 200


class AuditLogSerializer(ResponseSerializer):
    """A page of the audit log. `next` is the offset of the next page."""

    total = serializers.IntegerField()
    audit_logs = AuditEventSerializer(source="rows", many=True)
    next = serializers.IntegerField(required=False)
