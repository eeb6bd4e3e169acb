"""Responses of the users endpoints."""

from rest_framework import serializers

from runai_access.api.serializers import ResponseSerializer, TimeField


class UserSerializer(ResponseSerializer):
    """A user."""

    id = serializers.UUIDField(source="pk")
    username = serializers.CharField(source="email")
    createdBy = serializers.CharField(source="created_by")
    createdAt = TimeField(source="created_at")
    updatedAt = TimeField(source="updated_at")
    lastLogin = TimeField(source="last_login", allow_null=True)
    isLocal = serializers.BooleanField(source="is_local")
    groups = serializers.ListField(source="group_names", child=serializers.CharField())
