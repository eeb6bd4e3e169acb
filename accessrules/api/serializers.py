"""Responses of the authorization and organization endpoints (contract/README.md)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework import serializers

from accessrules.authorization.catalog import ALIASES, RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS, Permission, permissions_of
from accessrules.models import Role, Scope, Subject
from runai_access.api.serializers import ConstantField, ResponseSerializer, TimeField


class MyAccessRuleSerializer(ResponseSerializer):
    """An access rule: a subject has a role in a scope."""

    id = serializers.IntegerField()
    subjectId = serializers.CharField(source="subject.name")
    subjectType = serializers.ChoiceField(source="subject.type", choices=Subject.Type.values)
    roleId = serializers.IntegerField(source="role_id")
    roleName = serializers.CharField(source="role.name")
    scopeId = serializers.CharField(source="scope.uid")
    scopeType = serializers.ChoiceField(source="scope.type", choices=Scope.Type.values)
    scopeName = serializers.CharField(source="scope.name")
    tenantId = ConstantField(settings.ACCOUNT_ID, serializers.IntegerField())


class AccessRuleSerializer(MyAccessRuleSerializer):
    """An access rule with its scope path, creator and timestamps."""

    # `path_by_name` and `cluster_uid` require `load_ancestors`.

    scopePath = serializers.CharField(source="scope.path_by_name")
    createdAt = TimeField(source="created_at")
    updatedAt = TimeField(source="updated_at")
    createdBy = serializers.CharField(source="created_by")
    deletedAt = TimeField(source="deleted_at", allow_null=True)
    expiresAt = TimeField(source="expires_at", allow_null=True)
    clusterId = serializers.CharField(source="scope.cluster_uid", required=False)


class AccessRulesSerializer(ResponseSerializer):
    """A page of access rules. `totalRecords` is the number of all matching rules."""

    totalRecords = serializers.IntegerField(source="total")
    displayRecords = serializers.IntegerField(source="size")
    accessRules = AccessRuleSerializer(source="rows", many=True)


class MyAccessRulesPageSerializer(ResponseSerializer):
    """A page of the caller's own access rules. `totalRecords` is the number of all matching rules."""

    totalRecords = serializers.IntegerField(source="total")
    displayRecords = serializers.IntegerField(source="size")
    accessRules = MyAccessRuleSerializer(source="rows", many=True)


class MyAccessRulesSerializer(ResponseSerializer):
    """The caller's own access rules."""

    accessRules = MyAccessRulesPageSerializer(source="*")


@dataclass(frozen=True)
class ResourcePermissions:
    """The allowed actions on a resource type, under one of its names."""

    name: str
    actions: list[str]

    @property
    def display_name(self) -> str:
        return RESOURCE_TYPES[self.name].name

    @property
    def group(self) -> str:
        return RESOURCE_TYPES[self.name].group


def by_resource_type(permissions: Iterable[Permission]) -> list[ResourcePermissions]:
    """Group permissions by resource type, under each name that an API version uses for it."""
    actions: dict[str, list[str]] = {}
    for action, resource_type in sorted(permissions):
        actions.setdefault(resource_type, []).append(action)
    return [
        ResourcePermissions(name, actions[ALIASES.get(name, name)])
        for name in RESOURCE_TYPES
        if ALIASES.get(name, name) in actions
    ]


class PermissionSerializer(ResponseSerializer):
    """The allowed actions on a resource type."""

    resourceType = serializers.ChoiceField(source="name", choices=list(RESOURCE_TYPES))
    displayName = serializers.CharField(source="display_name")
    groupId = serializers.CharField(source="group")
    actions = serializers.ListField(child=serializers.ChoiceField(choices=list(ACTIONS.values())))


class _PermissionsOfRole(serializers.ListSerializer):  # type: ignore[type-arg]  # the stubs want a parameter
    def get_attribute(self, instance: Role) -> Any:
        return by_resource_type(permissions_of(instance))


class RoleSerializer(ResponseSerializer):
    """A predefined role."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    permissions = _PermissionsOfRole(child=PermissionSerializer())
    createdAt = TimeField(source="created_at")
    updatedAt = TimeField(source="updated_at")
    createdBy = serializers.CharField(source="created_by")
    deletedAt = ConstantField(None, serializers.DateTimeField(allow_null=True))
    custom = ConstantField(False, serializers.BooleanField())
    enabled = ConstantField(True, serializers.BooleanField())
    effectiveEnabled = ConstantField(True, serializers.BooleanField())


class PermittedSerializer(ResponseSerializer):
    """Scope IDs by type, including descendants."""

    tenants = serializers.ListField(child=serializers.CharField())
    clusters = serializers.ListField(child=serializers.CharField())
    departments = serializers.ListField(child=serializers.CharField())
    projects = serializers.ListField(child=serializers.CharField())
    system = serializers.BooleanField()
    tenant = serializers.CharField(required=False)


class PermittedScopesSerializer(ResponseSerializer):
    """The scopes in which the caller can do each action."""

    create = PermittedSerializer()  # type: ignore[assignment]  # a member of the contract, not the method
    read = PermittedSerializer()
    update = PermittedSerializer()  # type: ignore[assignment]  # a member of the contract, not the method
    delete = PermittedSerializer()


class ClusterSerializer(ResponseSerializer):
    """A cluster, without its health, which is not monitored."""

    uuid = serializers.CharField(source="uid")
    name = serializers.CharField()
    tenantId = ConstantField(settings.ACCOUNT_ID, serializers.IntegerField())
    createdAt = TimeField(source="created_at")
    updatedAt = TimeField(source="updated_at")


class _OrganizationUnitSerializer(ResponseSerializer):
    id = serializers.CharField(source="uid")
    name = serializers.CharField()
    description = ConstantField("", serializers.CharField())
    clusterId = serializers.CharField(source="cluster_uid")
    createdAt = TimeField(source="created_at")
    createdBy = serializers.CharField(source="created_by")
    updatedAt = TimeField(source="updated_at")
    updatedBy = serializers.CharField(source="created_by")


def _no_resources() -> ConstantField:
    return ConstantField([], serializers.ListField(child=serializers.DictField()))


def _empty_object() -> ConstantField:
    return ConstantField({}, serializers.DictField())


class DepartmentSerializer(_OrganizationUnitSerializer):
    """A department. Members that are not managed here have empty values."""

    resources = _no_resources()
    totalResources = _empty_object()


class ParentSerializer(ResponseSerializer):
    """The department of a project."""

    id = serializers.CharField(source="uid")
    name = serializers.CharField()


class ProjectSerializer(_OrganizationUnitSerializer):
    """A project. Members that are not managed here have empty values."""

    parentId = serializers.CharField(source="parent.uid")
    parent = ParentSerializer()
    resources = _no_resources()
    totalResources = _empty_object()
    effective = _empty_object()
    status = _empty_object()
    enforceRunaiScheduler = ConstantField(False, serializers.BooleanField())
    # Not a valid Python name. Required by the documents of 2.18 to 2.21.
    locals()["enforceRun:aiScheduler"] = ConstantField(False, serializers.BooleanField())
    phase = ConstantField("Unknown", serializers.CharField())


class DepartmentsSerializer(ResponseSerializer):
    """A page of departments. `next` is the offset of the next page."""

    departments = DepartmentSerializer(source="rows", many=True)
    next = serializers.IntegerField(required=False)


class ProjectsSerializer(ResponseSerializer):
    """A page of projects. `next` is the offset of the next page."""

    projects = ProjectSerializer(source="rows", many=True)
    next = serializers.IntegerField(required=False)


class BatchFailureSerializer(ResponseSerializer):
    """An access rule that could not be deleted, and the error."""

    id = serializers.CharField()
    code = serializers.IntegerField()
    message = serializers.CharField()


class BatchSerializer(ResponseSerializer):
    """The result of a bulk operation. `id` is the ID of the operation."""

    id = serializers.UUIDField()
    succeeded = serializers.ListField(child=serializers.CharField())
    failed = BatchFailureSerializer(many=True)


class BatchCreateFailureSerializer(ResponseSerializer):
    """An access rule that could not be created, and the error."""

    payload = serializers.DictField()
    code = serializers.IntegerField()
    message = serializers.CharField()


class BatchCreateSerializer(ResponseSerializer):
    """The created access rules, and those that could not be created."""

    succeeded = AccessRuleSerializer(many=True)
    failed = BatchCreateFailureSerializer(many=True)


class GivingRuleSerializer(MyAccessRuleSerializer):
    """The access rule that grants the access, of the subject or of one of its groups."""


class AccessSerializer(ResponseSerializer):
    """The actions on a resource type that an access rule grants a subject."""

    subjectId = serializers.CharField(source="subject.name")
    subjectType = serializers.ChoiceField(source="subject.type", choices=Subject.Type.values)
    resourceType = serializers.ChoiceField(source="resource_type", choices=list(RESOURCE_TYPES))
    displayName = serializers.CharField(source="resource_name")
    actions = serializers.ListField(child=serializers.ChoiceField(choices=list(ACTIONS.values())))
    rule = GivingRuleSerializer()


class EffectiveAccessSerializer(ResponseSerializer):
    """A subject's access. `complete` is false if the caller can't see all access rules."""

    complete = serializers.BooleanField()
    access = AccessSerializer(many=True)


class ScopeAccessSerializer(ResponseSerializer):
    """Access to a scope. `totalRecords` counts pairs of a subject and a rule.

    `next` is the offset of the next page. `complete` is false if the caller can't see all subjects.
    """

    complete = serializers.BooleanField()
    totalRecords = serializers.IntegerField(min_value=0)
    access = AccessSerializer(many=True)
    next = serializers.IntegerField(required=False)
