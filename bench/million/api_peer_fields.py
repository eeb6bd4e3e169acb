"""The fields and operators of the peers of the API, for their server and for the bench."""

from collections.abc import Mapping

# The model lookups by field. Fields that are computed for a response have no equivalent.
_TIMES = {"createdAt": "created_at", "updatedAt": "updated_at"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "service-accounts": {
        "name": "subject__name", "clientId": "subject__name", "enabled": "subject__enabled",
        "createdBy": "created_by", "lastLogin": "last_login", **_TIMES,
    },
    "access-rules": {
        "subjectId": "subject__name", "subjectType": "subject__type", "roleId": "role_id",
        "roleName": "role__name", "scopeId": "scope__uid", "scopeType": "scope__type",
        "scopeName": "scope__name", "createdAt": "created_at", "deletedAt": "deleted_at",
        "createdBy": "created_by",
    },
    "roles": {"id": "id", "name": "name", "createdBy": "created_by", **_TIMES},
    "users": {
        "username": "email", "createdBy": "created_by", "creationTime": "created_at",
        "lastUpdated": "updated_at", "lastLogin": "last_login",
    },
    "clusters": {"name": "name", **_TIMES},
    "departments": {
        "name": "name", "createdBy": "created_by", "clusterId": "parent__uid", **_TIMES,
    },
    "projects": {
        "name": "name", "createdBy": "created_by", "departmentId": "parent__uid",
        "parentName": "parent__name", **_TIMES,
    },
    "audit/log": {
        "timestamp": "time", "subject": "subject_name", "source_ip": "source_ip",
        "action": "action", "result": "result", "entity_type": "entity_type",
        "entity_name": "entity_name", "entity_id": "entity_id",
    },
}  # fmt: skip
# The measured operators and their lookups. Others take as long as one of these.
LOOKUPS = {"==": "iexact", "=@": "icontains", "<=": "lte"}
SUFFIXES = {"==": "", "=@": "_contains", "<=": "_until"}
