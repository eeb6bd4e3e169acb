"""/api/v1/clusters and /api/v1/org-unit: read-only clusters, departments and projects."""

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.serializers import (
    ClusterSerializer,
    DepartmentSerializer,
    DepartmentsSerializer,
    ProjectSerializer,
    ProjectsSerializer,
)
from accessrules.api.views import CallerView
from accessrules.filters.search import search_scopes
from accessrules.models import Scope, ScopeQuerySet, load_ancestors
from runai_access.api.filter_by import Field
from runai_access.api.paging import ListEndpoint, paged
from runai_access.api.serializers import CountSerializer, ResponseSerializer
from runai_access.db.normalization import is_storable
from runai_access.errors import NotFound
from runai_access.lists.sorts import Sort


@dataclass(frozen=True)
class Level:
    """One level of the organization: its list configuration and its serializers.

    `page_serializer` serializes a page of the list; without it, the response is a plain array.
    `list_parameters` and `detail_parameters` are defined by the contract. They are validated but have
    no effect, because they select members that we don't store.
    """

    scope_type: Scope.Type
    listing: ListEndpoint
    serializer: type[ResponseSerializer]
    page_serializer: type[ResponseSerializer] | None = None
    list_parameters: tuple[OpenApiParameter, ...] = ()
    detail_parameters: tuple[OpenApiParameter, ...] = ()


CLUSTER_VERBOSITY = OpenApiParameter("verbosity", str, enum=["metadata", "full"])
# GPU metrics that the contract can filter by.
_FIGURES = (
    "totalGpuQuota",
    "gpuAllocated",
    *(
        f"avgGpu{figure}{span}"
        for figure in ("Allocation", "Utilization", "MemoryUtilization")
        for span in ("24h", "7d", "30d")
    ),
)


def _listing(
    default_limit: int | None,
    max_limit: int,
    *,
    unsupported_fields: tuple[str, ...] = (),
    **fields: Field,
) -> ListEndpoint:
    return ListEndpoint(
        fields={
            "name": Field.text("name"),
            "createdAt": Field.time("created_at", is_indexed=False),
            "updatedAt": Field.time("updated_at", is_indexed=False),
            **fields,
        },
        search=search_scopes,
        sort=Sort.text("name"),
        default_limit=default_limit,
        max_limit=max_limit,
        unsupported_fields=unsupported_fields,
        has_exact_total=True,
    )


CLUSTERS = Level(
    Scope.Type.CLUSTER,
    _listing(None, 1000),
    ClusterSerializer,
    list_parameters=(
        CLUSTER_VERBOSITY,
        OpenApiParameter("includeRequestedForDelete", bool, default=False),
    ),
    detail_parameters=(CLUSTER_VERBOSITY,),
)
DEPARTMENTS = Level(
    Scope.Type.DEPARTMENT,
    _listing(
        50,
        500,
        unsupported_fields=_FIGURES,
        createdBy=Field.text("created_by"),
        clusterId=Field.text("parent__uid"),
    ),
    DepartmentSerializer,
    DepartmentsSerializer,
    list_parameters=(OpenApiParameter("verbosity", str, enum=["meta", "brief", "verbose"]),),
)
PROJECTS = Level(
    Scope.Type.PROJECT,
    _listing(
        50,
        500,
        unsupported_fields=("phase", *_FIGURES),
        createdBy=Field.text("created_by"),
        clusterId=Field.text("parent__parent__uid"),
        departmentId=Field.text("parent__uid"),
        parentId=Field.text("parent__uid"),
        parentName=Field.text("parent__name"),
    ),
    ProjectSerializer,
    ProjectsSerializer,
)


class LevelView(CallerView):
    """The base of the endpoints of one level."""

    tag = "Organization"
    level: Level = CLUSTERS

    @property
    def resource(self) -> str:
        """The name of a scope of this level in the OpenAPI document."""
        return self.level.scope_type.label.lower()

    def visible(self) -> ScopeQuerySet:
        """Return the visible scopes of this level. Raises Denied without the permission to view any."""
        self.caller.authority.require_anywhere("read", self.level.scope_type)
        return self.caller.authority.visible_scopes().filter(type=self.level.scope_type)

    def load_ancestors(self, scopes: list[Scope]) -> None:
        """Load the ancestors of the scopes, if the serializer needs them."""
        if self.level.scope_type != Scope.Type.CLUSTER:
            load_ancestors(scopes)


class ScopesView(LevelView):
    """The list of visible scopes of a level."""

    @property
    def listing(self) -> ListEndpoint:
        """The list configuration of this level."""
        return self.level.listing

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of the list."""
        level = self.level
        return {"GET": level.page_serializer or level.serializer(many=True)}

    @property
    def query_parameters(self) -> tuple[OpenApiParameter, ...]:
        """The contract's parameters of this list, in addition to the common ones."""
        return self.level.list_parameters

    def get(self, request: Request) -> Response:
        """List {resource}s.

        Lists the {resource}s visible to the caller.
        """
        authority = self.caller.authority
        page = self.level.listing.page(self.visible(), request.query_params, authority)
        self.load_ancestors(page.rows)
        if self.level.page_serializer:
            return paged(request, page, self.level.page_serializer.represent(page))
        return paged(request, page, self.level.serializer.represent_all(page.rows))


class ScopesCountView(LevelView):
    """The number of visible scopes of a level."""

    counts = True
    response_serializers = {"GET": CountSerializer}

    @property
    def listing(self) -> ListEndpoint:
        """The filters of this level."""
        return self.level.listing

    def get(self, request: Request) -> Response:
        """Count {resource}s.

        Counts the {resource}s that match the parameters.
        """
        authority = self.caller.authority
        count = self.level.listing.count(self.visible(), request.query_params, authority)
        return Response(CountSerializer.represent({"count": count}))


class ScopeView(LevelView):
    """A scope."""

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of a scope."""
        return {"GET": self.level.serializer}

    @property
    def query_parameters(self) -> tuple[OpenApiParameter, ...]:
        """The contract's parameters of this endpoint."""
        return self.level.detail_parameters

    def get(self, request: Request, uid: str) -> Response:
        """Get {a resource}.

        Responds with 404 if the {resource} is not visible to the caller.
        """
        scope = self.visible().filter(uid__iexact=uid).first() if is_storable(uid) else None
        if scope is None:
            raise NotFound(f"There is no {self.resource} {uid[:80]!r}.")
        self.load_ancestors([scope])
        return Response(self.level.serializer.represent(scope))
