"""What the caller itself may do: permissions, permitted-scopes and me/access-rules; never a 403."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.rules import LIST
from accessrules.api.serializers import (
    MyAccessRulesSerializer,
    PermissionSerializer,
    PermittedScopesSerializer,
    by_resource_type,
)
from accessrules.api.views import CallerView
from accessrules.authorization.catalog import ALIASES, RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.models import AccessRule, AccessRuleQuerySet, Scope
from runai_access.api.fields import Body, Choice
from runai_access.api.filtering import Field
from runai_access.api.listing import ListEndpoint, paged
from runai_access.api.serializers import CountSerializer

_ANSWERED = (
    "subjectId", "subjectType", "roleId", "roleName", "scopeId", "scopeType", "scopeName",
)  # fmt: skip
PERMISSIONS = ListEndpoint(
    fields={name: Field(name) for name in ("resourceType", "displayName", "groupId")},
    search=("resourceType", "displayName"),
    order=(),
)
# Just what is answered: who authorized a rule is told to whoever may read access rules.
MINE = ListEndpoint(
    fields={name: LIST.fields[name] for name in _ANSWERED},
    search=("subject__name", "role__name", "scope__name"),
    order=("pk",),
    default_limit=LIST.default_limit,
    max_limit=LIST.max_limit,
)
_MEMBERS = {
    Scope.Type.TENANT: "tenants",
    Scope.Type.CLUSTER: "clusters",
    Scope.Type.DEPARTMENT: "departments",
    Scope.Type.PROJECT: "projects",
}


class PermittedScopesQuestion(Body):
    """The body that asks where something is permitted; without an action, where each is."""

    resourceType = Choice(choices=[*RESOURCE_TYPES, *ALIASES])
    action = Choice(choices=list(ACTIONS.values()), allow_null=True, required=False, default=None)


class PermissionsView(CallerView):
    """Everything the caller may do somewhere."""

    tag = "Me"
    listing = PERMISSIONS

    @extend_schema(responses=PermissionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the caller's permissions.

        The list holds what the caller can do in at least one scope, by resource type.
        """
        permissions = by_resource_type(self.caller.authority.permissions())
        rows = PermissionSerializer.represent_all(permissions)
        page = PERMISSIONS.page_of(rows, request.query_params)
        return paged(request, page, page.rows)


class PermittedScopesView(CallerView):
    """Where the caller may do what, with every scope below; one query for all actions."""

    tag = "Me"
    compressed_methods = ("POST",)

    @extend_schema(request=PermittedScopesQuestion, responses=PermittedScopesSerializer)
    def post(self, request: Request) -> Response:
        """List the scopes where the caller can act.

        Answers, for each action on the resource type, every scope where the caller can do it.
        Without `action`, it answers for all four.
        """
        body = PermittedScopesQuestion(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data["action"]
        named = body.validated_data["resourceType"]
        resource_type = ALIASES.get(named, named)
        authority = self.caller.authority
        reach = {
            action: authority.scope_roots(action, resource_type) if asked in (None, action) else ()
            for action in ACTIONS.values()
        }
        everywhere = {path for paths in reach.values() for path in paths}
        scopes = list(Scope.objects.at_or_below(everywhere).order_by("path"))
        permitted = {action: _permitted(scopes, paths) for action, paths in reach.items()}
        return Response(PermittedScopesSerializer.represent(permitted))


class MyAccessRulesView(CallerView):
    """The caller's own rules."""

    tag = "Me"
    listing = MINE

    @extend_schema(responses=MyAccessRulesSerializer)
    def get(self, request: Request) -> Response:
        """List the caller's access rules.

        The list holds the rules whose subject is the caller, without the rules of its groups.
        """
        page = MINE.page(own_rules(self), request.query_params)
        return paged(request, page, MyAccessRulesSerializer.represent(page))


class MyAccessRulesCountView(CallerView):
    """How many rules the caller has of its own."""

    tag = "Me"
    listing = MINE
    counts = True

    @extend_schema(responses=CountSerializer)
    def get(self, request: Request) -> Response:
        """Count the caller's access rules.

        Counts what the list of the caller's access rules holds for the same parameters.
        """
        count = MINE.matching(own_rules(self), request.query_params).count()
        return Response(CountSerializer.represent({"count": count}))


def own_rules(view: CallerView) -> AccessRuleQuerySet:
    """Return the living rules whose subject is the caller."""
    rules = AccessRule.objects.living().filter(subject=view.caller.subject)
    return rules.select_related("subject", "role", "scope")


def _permitted(scopes: list[Scope], paths: tuple[str, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = {member: [] for member in _MEMBERS.values()}
    answer["system"] = False
    for scope in scopes:
        if not scope.path.startswith(paths):
            continue
        if scope.type == Scope.Type.SYSTEM:
            answer["system"] = True
            continue
        answer[_MEMBERS[Scope.Type(scope.type)]].append(scope.uid)
        if scope.type == Scope.Type.TENANT:
            answer["tenant"] = scope.uid
    return answer
