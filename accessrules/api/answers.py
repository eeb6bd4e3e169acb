"""How rules, roles and scopes read on the wire (contract/README.md and the documents beside it)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from accessrules.authorization.catalog import ALIASES, RESOURCE_TYPES
from accessrules.authorization.grants import Permission, permissions_of
from accessrules.models import AccessRule, Role, Scope


def time_answer(time: datetime | None) -> str | None:
    """Return an ISO 8601 time in UTC with milliseconds, or None."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rule_answer(rule: AccessRule) -> dict[str, Any]:
    """Return one rule, with the path of its scope by name."""
    return rule_answers([rule])[0]


def rule_answers(rules: list[AccessRule]) -> list[dict[str, Any]]:
    """Return rules; the scopes above theirs come with one query."""
    lineages = _Lineages(rule.scope for rule in rules)
    return [_rule(rule, lineages) for rule in rules]


def role_answer(role: Role) -> dict[str, Any]:
    """Return one role. Predefined roles are never custom and always in effect."""
    return {
        "id": role.pk,
        "name": role.name,
        "description": role.description,
        "permissions": permission_answers(permissions_of(role)),
        "createdAt": time_answer(role.created_at),
        "updatedAt": time_answer(role.updated_at),
        "createdBy": role.created_by,
        "deletedAt": None,
        "custom": False,
        "enabled": True,
        "effectiveEnabled": True,
    }


def permission_answers(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """Return permissions, one entry per resource type, under every name that versions know it by."""
    actions: dict[str, list[str]] = {}
    for action, resource_type in sorted(permissions):
        actions.setdefault(resource_type, []).append(action)
    return [
        {
            "resourceType": name,
            "displayName": RESOURCE_TYPES[name].name,
            "groupId": RESOURCE_TYPES[name].group,
            "actions": actions[ALIASES.get(name, name)],
        }
        for name in RESOURCE_TYPES
        if ALIASES.get(name, name) in actions
    ]


def me_rule_answer(rule: AccessRule) -> dict[str, Any]:
    """Return one of the caller's own rules."""
    return {
        "id": rule.pk,
        "subjectId": rule.subject.name,
        "subjectType": rule.subject.type,
        "roleId": rule.role_id,
        "roleName": rule.role.name,
        "scopeId": rule.scope.uid,
        "scopeType": rule.scope.type,
        "scopeName": rule.scope.name,
        "tenantId": settings.ACCOUNT_ID,
    }


def cluster_answers(clusters: list[Scope]) -> list[dict[str, Any]]:
    """Return clusters; their health is not ours to know."""
    return [
        {
            "uuid": cluster.uid,
            "name": cluster.name,
            "tenantId": settings.ACCOUNT_ID,
            "createdAt": time_answer(cluster.created_at),
            "updatedAt": time_answer(cluster.updated_at),
        }
        for cluster in clusters
    ]


def department_answers(departments: list[Scope]) -> list[dict[str, Any]]:
    """Return departments, neutral where the contract speaks of quotas."""
    lineages = _Lineages(departments)
    return [
        {**_unit(department, lineages), "resources": [], "totalResources": {}}
        for department in departments
    ]


def project_answers(projects: list[Scope]) -> list[dict[str, Any]]:
    """Return projects, neutral where the contract speaks of quotas, phases and schedulers."""
    lineages = _Lineages(projects)
    return [_project(project, lineages) for project in projects]


class _Lineages:
    """The scopes above some scopes, found with one query."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        paths = {path for scope in scopes for path in scope.ancestor_paths}
        self._by_path = {scope.path: scope for scope in Scope.objects.filter(path__in=paths)}

    def of(self, scope: Scope) -> list[Scope]:
        """Return the account and what follows it, down to `scope` itself."""
        above = [self._by_path[path] for path in scope.ancestor_paths]
        return [place for place in (*above, scope) if place.type != Scope.Type.SYSTEM]

    def cluster_id(self, scope: Scope) -> str | None:
        clusters = [place.uid for place in self.of(scope) if place.type == Scope.Type.CLUSTER]
        return clusters[0] if clusters else None


def _rule(rule: AccessRule, lineages: _Lineages) -> dict[str, Any]:
    answer = {
        **me_rule_answer(rule),
        "scopePath": "/".join(place.name for place in lineages.of(rule.scope)),
        "createdAt": time_answer(rule.created_at),
        "updatedAt": time_answer(rule.updated_at),
        "createdBy": rule.created_by,
        "deletedAt": time_answer(rule.deleted_at),
    }
    if cluster_id := lineages.cluster_id(rule.scope):
        answer["clusterId"] = cluster_id
    return answer


def _unit(scope: Scope, lineages: _Lineages) -> dict[str, Any]:
    return {
        "id": scope.uid,
        "name": scope.name,
        "description": "",
        "clusterId": lineages.cluster_id(scope),
        "createdAt": time_answer(scope.created_at),
        "createdBy": scope.created_by,
        "updatedAt": time_answer(scope.updated_at),
        "updatedBy": scope.created_by,
    }


def _project(project: Scope, lineages: _Lineages) -> dict[str, Any]:
    department = lineages.of(project)[-2]
    return {
        **_unit(project, lineages),
        "parentId": department.uid,
        "parent": {"id": department.uid, "name": department.name},
        "resources": [],
        "totalResources": {},
        "effective": {},
        "status": {},
        "enforceRunaiScheduler": False,
        # Required by the documents of 2.18 to 2.21.
        "enforceRun:aiScheduler": False,
        "phase": "Unknown",
    }
