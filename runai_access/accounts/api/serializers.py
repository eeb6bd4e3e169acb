"""Requests and responses of the users endpoints."""

from rest_framework import serializers

from runai_access.accounts.passwords import PASSWORD_MAX_LENGTH
from runai_access.api.fields import Body, Text
from runai_access.api.serializers import ResponseSerializer, TimeField


class NewUser(Body):
    """The user to create. Other members of the official client's request have no effect."""

    email = Text()
    displayName = Text(required=False, allow_blank=True, default="")


class OwnPasswordChange(Body):
    """The current password of the caller, and the new one."""

    currentPassword = Text(max_length=PASSWORD_MAX_LENGTH)
    newPassword = Text(max_length=PASSWORD_MAX_LENGTH)


class TemporaryPasswordSerializer(ResponseSerializer):
    """A temporary password. It is not shown again."""

    tempPassword = serializers.CharField(source="password")


class CreatedUserSerializer(TemporaryPasswordSerializer):
    """A new user with a temporary password."""

    id = serializers.UUIDField(source="user.pk")
    username = serializers.CharField(source="user.email")


class UserSerializer(ResponseSerializer):
    """A user."""

    id = serializers.UUIDField(source="pk")
    username = serializers.CharField(source="email")
    displayName = serializers.CharField(source="display_name")
    createdBy = serializers.CharField(source="created_by")
    createdAt = TimeField(source="created_at")
    updatedAt = TimeField(source="updated_at")
    lastLogin = TimeField(source="last_login", allow_null=True)
    isLocal = serializers.BooleanField(source="is_local")
    groups = serializers.ListField(source="group_names", child=serializers.CharField())
