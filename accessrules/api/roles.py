"""/api/v1/authorization/roles: the predefined roles, including those not assignable in the console."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.serializers import RoleSerializer
from accessrules.api.views import CallerView
from accessrules.filters.rules import RoleNameFilter
from accessrules.filters.search import search_roles
from accessrules.models import Role
from runai_access.api.filter_by import Field, FieldType
from runai_access.api.ids import integer_id
from runai_access.api.paging import ListEndpoint, paged
from runai_access.db.normalization_sql import normalized
from runai_access.errors import NotFound
from runai_access.lists.filters import NumberFilter
from runai_access.lists.sorts import Sort

LIST = ListEndpoint(
    fields={
        "id": Field(NumberFilter("id"), Sort.number("id"), FieldType.NUMBER),
        "name": Field(RoleNameFilter("name"), Sort(normalized("name"))),
        "createdBy": Field.text("created_by"),
        "createdAt": Field.time("created_at", is_indexed=False),
        "updatedAt": Field.time("updated_at", is_indexed=False),
    },
    search=search_roles,
    sort=Sort.number("pk"),
)


class RolesView(CallerView):
    """The list of roles, as a plain array."""

    tag = "Roles"
    listing = LIST

    @extend_schema(responses=RoleSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List roles.

        Lists all roles, including those that can't be assigned in the console.
        """
        self.caller.authority.require_anywhere("read", "roles")
        page = LIST.page(Role.objects.all(), request.query_params, self.caller.authority)
        return paged(request, page, RoleSerializer.represent_all(page.rows))


class RoleView(CallerView):
    """A role."""

    tag = "Roles"

    @extend_schema(responses=RoleSerializer)
    def get(self, request: Request, role_id: str) -> Response:
        """Get a role.

        Includes the role's permissions by resource type.
        """
        self.caller.authority.require_anywhere("read", "roles")
        role = Role.objects.filter(pk=integer_id(role_id)).first()
        if role is None:
            raise NotFound(f"There is no role {role_id}.")
        return Response(RoleSerializer.represent(role))
