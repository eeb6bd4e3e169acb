"""What the authorization and organization endpoints answer, described for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.models import Scope


class Document(serializers.Serializer):  # type: ignore[type-arg]  # describes an answer only
    """An answer, described; our views build answers themselves."""


class CountDocument(Document):
    count = serializers.IntegerField(min_value=0)

    class Meta:
        ref_name = "Count"


class MyRuleDocument(Document):
    """`<subject> is a <role> in a <scope>`."""

    id = serializers.IntegerField()
    subjectId = serializers.CharField()
    subjectType = serializers.ChoiceField(choices=["user", "app", "group"])
    roleId = serializers.IntegerField()
    roleName = serializers.CharField()
    scopeId = serializers.CharField()
    scopeType = serializers.ChoiceField(choices=Scope.Type.values)
    scopeName = serializers.CharField()
    tenantId = serializers.IntegerField()

    class Meta:
        ref_name = "MyAccessRule"


class RuleDocument(MyRuleDocument):
    """An access rule with where it stands and who authorised it."""

    scopePath = serializers.CharField()
    clusterId = serializers.CharField(required=False)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    createdBy = serializers.CharField()
    deletedAt = serializers.DateTimeField(allow_null=True)

    class Meta:
        ref_name = "AccessRule"


class RulesDocument(Document):
    totalRecords = serializers.IntegerField()
    displayRecords = serializers.IntegerField()
    accessRules = RuleDocument(many=True)

    class Meta:
        ref_name = "AccessRules"


class MyRulesPageDocument(Document):
    totalRecords = serializers.IntegerField()
    displayRecords = serializers.IntegerField()
    accessRules = MyRuleDocument(many=True)

    class Meta:
        ref_name = "MyAccessRulesPage"


class MyRulesDocument(Document):
    accessRules = MyRulesPageDocument()

    class Meta:
        ref_name = "MyAccessRules"


class PermissionDocument(Document):
    """What may be done with one type of resource."""

    resourceType = serializers.ChoiceField(choices=list(RESOURCE_TYPES))
    displayName = serializers.CharField()
    groupId = serializers.CharField()
    actions = serializers.ListField(child=serializers.ChoiceField(choices=list(ACTIONS.values())))

    class Meta:
        ref_name = "Permission"


class RoleDocument(Document):
    """A predefined role."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    permissions = PermissionDocument(many=True)
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    createdBy = serializers.CharField()
    deletedAt = serializers.DateTimeField(allow_null=True)
    custom = serializers.BooleanField()
    enabled = serializers.BooleanField()
    effectiveEnabled = serializers.BooleanField()

    class Meta:
        ref_name = "Role"


class PermittedDocument(Document):
    """Scopes by type, those below included."""

    tenants = serializers.ListField(child=serializers.CharField())
    clusters = serializers.ListField(child=serializers.CharField())
    departments = serializers.ListField(child=serializers.CharField())
    projects = serializers.ListField(child=serializers.CharField())
    system = serializers.BooleanField()
    tenant = serializers.CharField(required=False)

    class Meta:
        ref_name = "Permitted"


class PermittedScopesDocument(Document):
    create = PermittedDocument()  # type: ignore[assignment]  # a member of the contract, not the method
    read = PermittedDocument()
    update = PermittedDocument()  # type: ignore[assignment]  # a member of the contract, not the method
    delete = PermittedDocument()

    class Meta:
        ref_name = "PermittedScopes"


class ClusterDocument(Document):
    uuid = serializers.CharField()
    name = serializers.CharField()
    tenantId = serializers.IntegerField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()

    class Meta:
        ref_name = "Cluster"


class DepartmentDocument(Document):
    """A department; what we do not manage is answered neutral."""

    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    clusterId = serializers.CharField()
    createdAt = serializers.DateTimeField()
    createdBy = serializers.CharField()
    updatedAt = serializers.DateTimeField()
    updatedBy = serializers.CharField()
    resources = serializers.ListField(child=serializers.DictField())
    totalResources = serializers.DictField()

    class Meta:
        ref_name = "Department"


class ParentDocument(Document):
    id = serializers.CharField()
    name = serializers.CharField()

    class Meta:
        ref_name = "Parent"


class ProjectDocument(DepartmentDocument):
    """A project; what we do not manage is answered neutral."""

    parentId = serializers.CharField()
    parent = ParentDocument()
    effective = serializers.DictField()
    status = serializers.DictField()
    enforceRunaiScheduler = serializers.BooleanField()
    phase = serializers.CharField()

    class Meta:
        ref_name = "Project"

    def get_fields(self) -> dict[str, Any]:
        # A name that Python can't spell.
        return {**super().get_fields(), "enforceRun:aiScheduler": serializers.BooleanField()}


class DepartmentsDocument(Document):
    departments = DepartmentDocument(many=True)
    next = serializers.IntegerField(required=False)

    class Meta:
        ref_name = "Departments"


class ProjectsDocument(Document):
    projects = ProjectDocument(many=True)
    next = serializers.IntegerField(required=False)

    class Meta:
        ref_name = "Projects"


class BatchFailureDocument(Document):
    id = serializers.CharField()
    code = serializers.IntegerField()
    message = serializers.CharField()

    class Meta:
        ref_name = "BatchFailure"


class BatchDocument(Document):
    """What a batch did: `id` names the operation."""

    id = serializers.UUIDField()
    succeeded = serializers.ListField(child=serializers.CharField())
    failed = BatchFailureDocument(many=True)

    class Meta:
        ref_name = "Batch"


class CreateFailureDocument(Document):
    payload = serializers.DictField()
    code = serializers.IntegerField()
    message = serializers.CharField()

    class Meta:
        ref_name = "BatchCreateFailure"


class BatchCreateDocument(Document):
    succeeded = RuleDocument(many=True)
    failed = CreateFailureDocument(many=True)

    class Meta:
        ref_name = "BatchCreate"


class AccessRuleOfAccessDocument(MyRuleDocument):
    """The rule that gives it: of the subject itself, or of a group that it is in."""

    class Meta:
        ref_name = "GivingRule"


class AccessDocument(Document):
    """What one rule lets one subject do with one type of resource, in its scope and below."""

    subjectId = serializers.CharField()
    subjectType = serializers.ChoiceField(choices=["user", "app", "group"])
    resourceType = serializers.ChoiceField(choices=list(RESOURCE_TYPES))
    displayName = serializers.CharField()
    actions = serializers.ListField(child=serializers.ChoiceField(choices=list(ACTIONS.values())))
    rule = AccessRuleOfAccessDocument()

    class Meta:
        ref_name = "Access"


class EffectiveAccessDocument(Document):
    """`complete` is false where there may be rules that the caller may not read."""

    complete = serializers.BooleanField()
    access = AccessDocument(many=True)

    class Meta:
        ref_name = "EffectiveAccess"


class ScopeAccessDocument(EffectiveAccessDocument):
    """`totalRecords` counts pairs of a subject and a rule; `next` is the offset of the next page."""

    totalRecords = serializers.IntegerField(min_value=0)
    next = serializers.IntegerField(required=False)

    class Meta:
        ref_name = "ScopeAccess"
