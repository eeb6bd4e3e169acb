"""Example values of the OpenAPI document, and the hook that adds them.

Examples are built from the schema: each member gets the value with its name. So all example values are
here, and a new endpoint with known members needs no new values.
"""

from typing import Any

from drf_spectacular.drainage import warn

_APPLICATION_ID = "3f2b8c1e-6d4a-4f0b-9a57-1c8e2d7b6a90"
_APPLICATION = "ci-pipeline-prod"
_USER_ID = "8a1d5e72-0c3f-4b68-b2e9-5f7a9c4d1e03"
_USER = "mia.lindqvist@acme.example"
_CLUSTER_ID = "c52a7d90-3b1e-4e8f-8d46-7a0f9b2c5e11"
_DEPARTMENT_ID = "d9e04f36-8c7b-4a25-9f13-2b6d8e1a7c40"
_PROJECT_ID = "b7f31a58-2e9d-4c06-a8b4-6e5c0d9f3a72"
_OPERATION_ID = "0e6c9b47-5a2d-4f83-b1d0-9c7e4a8f2b65"
_RULE_ID = 42
_ROLE_ID = 5
_ISSUER = "https://access.acme.example"
_START, _END = "2026-01-15T09:30:00.000Z", "2026-02-01T08:00:00.000Z"
# Far in the future: requests with an expiry in the past are refused.
_EXPIRY = "2036-04-15T09:30:00.000Z"
# Realistic, but with a wrong checksum and signature, so secret scanners ignore them.
_SECRET_ID = "EXAMPLE00000"  # noqa: S105  # public
_SECRET = f"ras_{_SECRET_ID}_" + 7 * "EXAMPLE"
_TOKEN = "eyJhbGciOiJFUzI1NiJ9.EXAMPLE.EXAMPLE"  # noqa: S105  # not a token
_PASSWORD = "k7m2qd-EXAMPLE-x4hnyb-8tzrwc"  # noqa: S105  # not a password
_CRUD = ["create", "delete", "read", "update"]
_CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post"]

# By the name of the member or parameter, or by `owner.name` if its meaning depends on the owner. The
# owner is a component, or the operation that has the body or parameter.
VALUES: dict[str, Any] = {
    # Applications, tokens
    "id": _APPLICATION_ID,
    "application_id": _APPLICATION_ID,
    "name": _APPLICATION,
    "clientId": _APPLICATION,
    "clientID": _APPLICATION,
    "client_id": _APPLICATION,
    "Application.tenantId": "1001",
    "enabled": True,
    "lastLogin": _END,
    "tokenLifetime": 3600,
    "secret": _SECRET,
    "clientSecret": _SECRET,
    "tempPassword": _PASSWORD,
    "currentPassword": _PASSWORD,
    "newPassword": _PASSWORD,
    "email": _USER,
    "User.displayName": "Mia Lindqvist",
    "NewUserRequest.displayName": "Mia Lindqvist",
    "client_secret": _SECRET,
    "owner": _USER,
    "ownerType": "user",
    "Application.description": "Trains the vision models every night",
    "allowedAddresses": ["192.0.2.0/24", "2001:db8::/32"],
    "labels": {"env": "prod", "team": "vision"},
    "secretCount": 2,
    "oldestSecretAt": _START,
    "nextSecretExpiry": _EXPIRY,
    "containedAt": None,
    "contained": False,
    "secretId": _SECRET_ID,
    "text": f"CLIENT_SECRET={_SECRET}",
    "FoundSecret.status": "live",
    "explanation": "This client secret works.",
    "applicationId": _APPLICATION_ID,
    "applicationName": _APPLICATION,
    "skipped": 0,
    "since": _START,
    "auditedSince": _START,
    "callersSince": _START,
    "dormancy": None,
    "dormancySince": None,
    "IncidentEvent.time": _END,
    "IncidentEvent.action": "create",
    "entityType": "access_rule",
    "entityId": str(_RULE_ID),
    "entityName": f"{_APPLICATION} is L1 researcher in project vision-train",
    "reason": "",
    "changes": {"role": [None, "L1 researcher"], "scope": [None, "project vision-train"]},
    "method": "POST",
    "path": "/api/v1/authorization/access-rules",
    "label": "GitLab runner",
    "expiresAt": _EXPIRY,
    "revokedBy": "",
    "revokedAt": None,
    "lastUsedAt": _END,
    "safeToRevoke": False,
    "address": "192.0.2.17",
    "userAgent": "runai-python/1.224",
    "uses": 1440,
    "day": "2026-01-31",
    "StoredSecret.id": _SECRET_ID,
    "ClientSecretDetails.id": _SECRET_ID,
    "ClientSecretDetails.status": "live",
    "StoredSecret.status": "live",
    "AddedSecret.id": _SECRET_ID,
    "AddedClientSecret.id": _SECRET_ID,
    "secret_id": _SECRET_ID,
    "deletedBy": _USER,
    "DeletedApplication.deletedAt": _END,
    "restorableUntil": "2026-03-03T08:00:00.000Z",
    "DeletedApplication.accessRules": [{"role": "L1 researcher", "scope": "project vision-train"}],
    "RuleName.role": "L1 researcher",
    "RuleName.scope": "project vision-train",
    "CopiedRule.role": "L1 researcher",
    "CopiedRule.scope": "project vision-train",
    "lostAccessRules": [],
    "skippedAccessRules": [],
    "grantType": "client_credentials",
    "grant_type": "client_credentials",
    "scope": "api",
    "token": _TOKEN,
    "accessToken": _TOKEN,
    "access_token": _TOKEN,
    "id_token": _TOKEN,
    "token_type": "Bearer",
    "expiresIn": 3600,
    "expires_in": 3600,
    "active": True,
    "iss": _ISSUER,
    "aud": _ISSUER,
    "sub": _APPLICATION_ID,
    "iat": 1769932800,
    "exp": 1769936400,
    "jti": 8 * "0a1b",
    "kty": "EC",
    "crv": "P-256",
    "x": 6 * "EXAMPLE" + "A",
    "y": 6 * "EXAMPLE" + "Q",
    "kid": "2026-01-15",
    "use": "sig",
    "alg": "ES256",
    "issuer": _ISSUER,
    "token_endpoint": f"{_ISSUER}/api/v2/token",
    "jwks_uri": f"{_ISSUER}/.well-known/jwks.json",
    "introspection_endpoint": f"{_ISSUER}/oauth2/introspect",
    "revocation_endpoint": f"{_ISSUER}/oauth2/revoke",
    "grant_types_supported": ["client_credentials"],
    "response_types_supported": ["none"],
    "scopes_supported": ["api"],
    "token_endpoint_auth_methods_supported": _CLIENT_AUTHENTICATION,
    "introspection_endpoint_auth_methods_supported": [*_CLIENT_AUTHENTICATION, "Bearer"],
    "revocation_endpoint_auth_methods_supported": _CLIENT_AUTHENTICATION,
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["ES256"],
    "claims_supported": ["iss", "aud", "sub", "iat", "exp"],
    # Access rules: ci-pipeline-prod is an L1 researcher in cluster A
    "AccessRule.id": _RULE_ID,
    "MyAccessRule.id": _RULE_ID,
    "GivingRule.id": _RULE_ID,
    "rule_id": str(_RULE_ID),
    "subject_id": _APPLICATION_ID,
    "subjectId": _APPLICATION,
    "subjectType": "app",
    "roleId": _ROLE_ID,
    "roleName": "L1 researcher",
    "scopeId": _CLUSTER_ID,
    "scopeType": "cluster",
    "scopeName": "A",
    "scopePath": "acme/A",
    "scope_type": "cluster",
    "uid": _CLUSTER_ID,
    "clusterId": _CLUSTER_ID,
    "tenantId": 1001,
    "totalRecords": 61,
    "displayRecords": 1,
    "count": 61,
    "next": 1,
    "createdAt": _START,
    "updatedAt": _START,
    "deletedAt": None,
    "createdBy": _USER,
    "updatedBy": _USER,
    "ids": [str(_RULE_ID), "43"],
    "RuleIdsRequest.action": "delete",
    "Batch.id": _OPERATION_ID,
    "Batch.succeeded": [str(_RULE_ID)],
    "BatchFailure.id": "43",
    "BatchFailure.code": 404,
    "BatchFailure.message": "There is no such access rule.",
    "BatchCreateFailure.payload": {
        "subjectId": _APPLICATION,
        "subjectType": "app",
        "roleId": _ROLE_ID,
        "scopeId": _CLUSTER_ID,
        "scopeType": "cluster",
    },
    "BatchCreateFailure.code": 409,
    "BatchCreateFailure.message": "ci-pipeline-prod already is L1 researcher in cluster A.",
    # Permissions, roles
    "complete": True,
    "resourceType": "workspaces",
    "displayName": "Workspaces",
    "groupId": "workload",
    "action": "create",
    "actions": _CRUD,
    "tenants": ["1001"],
    "tenant": "1001",
    "clusters": [_CLUSTER_ID],
    "departments": [_DEPARTMENT_ID],
    "projects": [_PROJECT_ID],
    "system": False,
    "Role.id": _ROLE_ID,
    "role_id": str(_ROLE_ID),
    "Role.name": "L1 researcher",
    "Role.description": "Submits and manages workloads in the granted projects.",
    "Role.createdBy": "Run:ai",
    "custom": False,
    "effectiveEnabled": True,
    # Organization
    "uuid": _CLUSTER_ID,
    "Cluster.name": "A",
    "Department.id": _DEPARTMENT_ID,
    "Department.name": "vision",
    "get_api_v1_org_unit_departments_uid.uid": _DEPARTMENT_ID,
    "Project.id": _PROJECT_ID,
    "Project.name": "vision-train",
    "get_api_v1_org_unit_projects_uid.uid": _PROJECT_ID,
    "description": "",
    "parentId": _DEPARTMENT_ID,
    "Parent.id": _DEPARTMENT_ID,
    "Parent.name": "vision",
    "resources": [],
    "totalResources": {},
    "effective": {},
    "status": {},
    "phase": "Unknown",
    "enforceRun:aiScheduler": False,
    "enforceRunaiScheduler": False,
    # Users
    "User.id": _USER_ID,
    "user_id": _USER_ID,
    "username": _USER,
    "isLocal": True,
    "groups": ["vision-team"],
    # Audit log
    "start": _START,
    "end": _END,
    "total": 61,
    "AuditEvent.id": _OPERATION_ID,
    "tenant_id": "1001",
    "timestamp": _START,
    "subject": _USER,
    "subject_type": "User",
    "result": "Succeeded",
    "entity_type": "application",
    "entity_id": _APPLICATION_ID,
    "entity_name": _APPLICATION,
    "metadata": {},
    "source_ip": "192.0.2.17",
    "http_method": "POST",
    "http_status_code": 201,
    "url": f"{_ISSUER}/api/v1/apps",
    # Overview
    "OverviewNumber.name": "neverUsed",
    "OverviewNumber.title": "Never used",
    "OverviewNumber.url": "/applications/?last_login__never=1",
    "exact": True,
    "tokens": 86_400,
    "OverviewFact.name": "Sealing",
    "value": "0 rows wait",
    "time": None,
    "overdue": False,
    "request_id": "5d0f2c8a-7b9e-4e61-93a4-c8b1f6d2e057",
}


def add_examples(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Add an example to each body, response and required parameter: a drf-spectacular hook."""
    schemas = result["components"]["schemas"]
    operations = [operation for item in result["paths"].values() for operation in item.values()]
    for operation in operations:
        owner = operation["operationId"]
        for parameter in operation.get("parameters", ()):
            if parameter.get("required") and _lacks_example(parameter):
                name, schema = parameter["name"], parameter["schema"]
                parameter["example"] = _member(name, schema, owner, schemas)
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in filter(_lacks_example, part.get("content", {}).values()):
                media["example"] = _example(media["schema"], owner, schemas)
    return result


def _lacks_example(part: dict[str, Any]) -> bool:
    return "example" not in part and "examples" not in part


def _example(schema: dict[str, Any], owner: str, schemas: dict[str, Any]) -> Any:
    if reference := schema.get("$ref"):
        owner = reference.rpartition("/")[2]
        schema = schemas[owner]
    if "items" in schema:  # an array, or null
        return [_example(schema["items"], owner, schemas)]
    members = schema.get("properties", {}).items()
    return {name: _member(name, member, owner, schemas) for name, member in members}


def _member(name: str, schema: dict[str, Any], owner: str, schemas: dict[str, Any]) -> Any:
    own = f"{owner}.{name}"
    if own in VALUES:
        return VALUES[own]
    if "$ref" in schema or "$ref" in schema.get("items", {}):
        return _example(schema, owner, schemas)
    if name not in VALUES:
        warn(f"{__name__} has no value for {name!r}, nor for {own!r}.")
    return VALUES.get(name)
