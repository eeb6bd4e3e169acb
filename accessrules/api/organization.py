"""/api/v1/clusters and /api/v1/org-unit: clusters, departments and projects, for reading."""

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
from accessrules.models import Scope, ScopeQuerySet, load_ancestors
from runai_access.api.filtering import Field, FieldType
from runai_access.api.listing import ListEndpoint, paged
from runai_access.api.serializers import CountSerializer, ResponseSerializer
from runai_access.errors import NotFound


@dataclass(frozen=True)
class Level:
    """One level of the organization: how it is listed, and how it reads on the wire.

    `page_serializer` serializes a page of its list; without it the response is the list itself.
    `list_parameters` and `one_parameters` are the contract's own: checked, and without effect,
    because they choose between members that we don't keep.
    """

    scope_type: Scope.Type
    listing: ListEndpoint
    serializer: type[ResponseSerializer]
    page_serializer: type[ResponseSerializer] | None = None
    list_parameters: tuple[OpenApiParameter, ...] = ()
    one_parameters: tuple[OpenApiParameter, ...] = ()


CLUSTER_VERBOSITY = OpenApiParameter("verbosity", str, enum=["metadata", "full"])
# Figures of GPUs, which lists of the contract may be filtered by.
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
    not_kept: tuple[str, ...] = (),
    **fields: Field,
) -> ListEndpoint:
    return ListEndpoint(
        fields={
            "name": Field("name"),
            "createdAt": Field("created_at", FieldType.TIME),
            "updatedAt": Field("updated_at", FieldType.TIME),
            **fields,
        },
        search=("name",),
        order=("name", "pk"),
        default_limit=default_limit,
        max_limit=max_limit,
        not_kept=not_kept,
    )


CLUSTERS = Level(
    Scope.Type.CLUSTER,
    _listing(None, 1000),
    ClusterSerializer,
    list_parameters=(
        CLUSTER_VERBOSITY,
        OpenApiParameter("includeRequestedForDelete", bool, default=False),
    ),
    one_parameters=(CLUSTER_VERBOSITY,),
)
DEPARTMENTS = Level(
    Scope.Type.DEPARTMENT,
    _listing(
        50,
        500,
        not_kept=_FIGURES,
        createdBy=Field("created_by"),
        clusterId=Field("parent__uid"),
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
        not_kept=("phase", *_FIGURES),
        createdBy=Field("created_by"),
        clusterId=Field("parent__parent__uid"),
        departmentId=Field("parent__uid"),
        parentId=Field("parent__uid"),
        parentName=Field("parent__name"),
    ),
    ProjectSerializer,
    ProjectsSerializer,
)


class LevelView(CallerView):
    """What the endpoints of one level share."""

    tag = "Organization"
    level: Level = CLUSTERS

    @property
    def resource(self) -> str:
        """What the OpenAPI document calls a scope of this level."""
        return self.level.scope_type.label.lower()

    def visible(self) -> ScopeQuerySet:
        """Return the scopes of this level in sight; raise Denied where there can be none."""
        self.caller.authority.require_anywhere("read", self.level.scope_type)
        return self.caller.authority.visible_scopes().filter(type=self.level.scope_type)

    def load_ancestors(self, scopes: list[Scope]) -> None:
        """Load the scopes above, where the serializers read any."""
        if self.level.scope_type != Scope.Type.CLUSTER:
            load_ancestors(scopes)


class ScopesView(LevelView):
    """All in sight."""

    @property
    def listing(self) -> ListEndpoint:
        """How this level is listed."""
        return self.level.listing

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of the list."""
        level = self.level
        return {"GET": level.page_serializer or level.serializer(many=True)}

    @property
    def query_parameters(self) -> tuple[OpenApiParameter, ...]:
        """The contract's own parameters, besides those that every list takes."""
        return self.level.list_parameters

    def get(self, request: Request) -> Response:
        """List {resource}s.

        The list holds the {resource}s that the caller can see.
        """
        page = self.level.listing.page(self.visible(), request.query_params)
        self.load_ancestors(page.rows)
        if self.level.page_serializer:
            return paged(request, page, self.level.page_serializer.represent(page))
        return paged(request, page, self.level.serializer.represent_all(page.rows))


class ScopesCountView(LevelView):
    """How many the list would hold."""

    counts = True
    response_serializers = {"GET": CountSerializer}

    @property
    def listing(self) -> ListEndpoint:
        """What may narrow the count."""
        return self.level.listing

    def get(self, request: Request) -> Response:
        """Count {resource}s.

        Counts what the list of {resource}s holds for the same parameters.
        """
        matching = self.level.listing.matching(self.visible(), request.query_params)
        return Response(CountSerializer.represent({"count": matching.count()}))


class ScopeView(LevelView):
    """One of them."""

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of one of them."""
        return {"GET": self.level.serializer}

    @property
    def query_parameters(self) -> tuple[OpenApiParameter, ...]:
        """The contract's own parameters."""
        return self.level.one_parameters

    def get(self, request: Request, uid: str) -> Response:
        """Get {a resource}.

        Answers 404 unless the caller can see the {resource}.
        """
        scope = None if "\x00" in uid else self.visible().filter(uid__iexact=uid).first()
        if scope is None:
            raise NotFound(f"There is no {self.level.scope_type.label.lower()} {uid[:80]!r}.")
        self.load_ancestors([scope])
        return Response(self.level.serializer.represent(scope))
