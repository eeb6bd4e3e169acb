"""The caller's own access: permissions, permitted-scopes and me/access-rules. Never a 403."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.rules import LIST, unindexed
from accessrules.api.serializers import (
    MyAccessRulesSerializer,
    PermissionSerializer,
    PermittedScopesSerializer,
    by_resource_type,
)
from accessrules.api.views import CallerView
from accessrules.authorization.authority import unlimited_authority
from accessrules.authorization.catalog import ALIASES, RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.models import AccessRule, AccessRuleQuerySet, Scope
from runai_access.api.fields import Body, Choice
from runai_access.api.paging import RowsEndpoint, paged
from runai_access.api.serializers import CountSerializer

_FIELDS = (
    "subjectId", "subjectType", "roleId", "roleName", "scopeId", "scopeType", "scopeName",
)  # fmt: skip
PERMISSIONS = RowsEndpoint(
    names=("resourceType", "displayName", "groupId"), search=("resourceType", "displayName")
)
# Only fields of the response. `createdBy` is left out: it requires “View access rules”.
MINE = replace(
    LIST,
    fields={name: unindexed(LIST.fields[name]) for name in _FIELDS},
    permission_filter=lambda _: None,
    has_keys=False,
    count_all=None,
    count_groups=None,
    unsupported_fields=(),
)
_MEMBERS = {
    Scope.Type.TENANT: "tenants",
    Scope.Type.CLUSTER: "clusters",
    Scope.Type.DEPARTMENT: "departments",
    Scope.Type.PROJECT: "projects",
}


class PermittedScopesBody(Body):
    """The resource type and action to check. Without an action, all actions are checked."""

    resourceType = Choice(choices=[*RESOURCE_TYPES, *ALIASES])
    action = Choice(choices=list(ACTIONS.values()), allow_null=True, required=False, default=None)


class PermissionsView(CallerView):
    """The caller's permissions in any scope."""

    tag = "Me"
    listing = PERMISSIONS

    @extend_schema(responses=PermissionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's permissions.

        Lists the actions that the caller can do in at least one scope, by resource type.
        """
        permissions = by_resource_type(self.caller.authority.permissions())
        rows = PermissionSerializer.represent_all(permissions)
        page = PERMISSIONS.page(rows, request.query_params)
        return paged(request, page, page.rows)


class PermittedScopesView(CallerView):
    """The scopes of the caller's permissions, descendants included. One query for all actions."""

    tag = "Me"
    compressed_methods = ("POST",)

    @extend_schema(request=PermittedScopesBody, responses=PermittedScopesSerializer)
    def post(self, request: Request) -> Response:
        """List the scopes where the caller can act.

        Lists the scopes in which the caller can do each action on the resource type. Without
        `action`, lists them for all four actions.
        """
        body = PermittedScopesBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted_action = body.validated_data["action"]
        resource_type = body.validated_data["resourceType"]
        resource_type = ALIASES.get(resource_type, resource_type)
        authority = self.caller.authority
        roots = {
            action: (
                authority.scope_roots(action, resource_type)
                if wanted_action in (None, action)
                else ()
            )
            for action in ACTIONS.values()
        }
        all_roots = {path for paths in roots.values() for path in paths}
        scopes = list(Scope.objects.at_or_below(all_roots).order_by("path"))
        permitted = {action: _permitted(scopes, paths) for action, paths in roots.items()}
        return Response(PermittedScopesSerializer.represent(permitted))


class MyAccessRulesView(CallerView):
    """The caller's own access rules."""

    tag = "Me"
    listing = MINE

    @extend_schema(responses=MyAccessRulesSerializer)
    def get(self, request: Request) -> Response:
        """List the caller's access rules.

        Lists the access rules whose subject is the caller, without those of its groups.
        """
        # Whatever the caller can view elsewhere, it can view its own rules.
        page = MINE.page(
            own_rules(self),
            request.query_params,
            unlimited_authority(),
            complete=lambda rules: rules.select_related("subject", "role", "scope"),
        )
        return paged(request, page, MyAccessRulesSerializer.represent(page))


class MyAccessRulesCountView(CallerView):
    """The number of the caller's own access rules."""

    tag = "Me"
    listing = MINE
    counts = True

    @extend_schema(responses=CountSerializer)
    def get(self, request: Request) -> Response:
        """Count the caller's access rules.

        Counts the caller's access rules that match the parameters.
        """
        count = MINE.count(own_rules(self), request.query_params, unlimited_authority())
        return Response(CountSerializer.represent({"count": count}))


def own_rules(view: CallerView) -> AccessRuleQuerySet:
    """Return the access rules whose subject is the caller, without deleted ones."""
    return AccessRule.objects.living().filter(subject=view.caller.subject)


def _permitted(scopes: list[Scope], paths: tuple[str, ...]) -> dict[str, Any]:
    permitted: dict[str, Any] = {member: [] for member in _MEMBERS.values()}
    permitted["system"] = False
    for scope in scopes:
        if not scope.path.startswith(paths):
            continue
        if scope.type == Scope.Type.SYSTEM:
            permitted["system"] = True
            continue
        permitted[_MEMBERS[Scope.Type(scope.type)]].append(scope.uid)
        if scope.type == Scope.Type.TENANT:
            permitted["tenant"] = scope.uid
    return permitted
