"""/api/v1/clusters and /api/v1/org-unit: clusters, departments and projects, for reading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.answers import cluster_answers, department_answers, project_answers
from accessrules.api.documents import (
    ClusterDocument,
    CountDocument,
    DepartmentDocument,
    DepartmentsDocument,
    Document,
    ProjectDocument,
    ProjectsDocument,
)
from accessrules.api.views import CallerView
from accessrules.models import Scope, ScopeQuerySet
from runai_access.api.filtering import Field, FieldType
from runai_access.api.listing import ListEndpoint, paged
from runai_access.errors import NotFound


@dataclass(frozen=True)
class Level:
    """One level of the organization: how it is listed, and how it reads on the wire.

    `one` and `many` describe the answers. `member` is where the list stands in the answer; without
    it the answer is the list itself. `list_parameters` and `one_parameters` are the contract's own
    for these answers: checked, and without effect, because they choose between members that we don't
    keep.
    """

    type: Scope.Type
    answers: Callable[[list[Scope]], list[dict[str, Any]]]
    listing: ListEndpoint
    one: Document
    many: Document
    member: str = ""
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
    cluster_answers,
    _listing(None, 1000),
    one=ClusterDocument(),
    many=ClusterDocument(many=True),
    list_parameters=(
        CLUSTER_VERBOSITY,
        OpenApiParameter("includeRequestedForDelete", bool, default=False),
    ),
    one_parameters=(CLUSTER_VERBOSITY,),
)
DEPARTMENTS = Level(
    Scope.Type.DEPARTMENT,
    department_answers,
    _listing(
        50,
        500,
        not_kept=_FIGURES,
        createdBy=Field("created_by"),
        clusterId=Field("parent__uid"),
    ),
    one=DepartmentDocument(),
    many=DepartmentsDocument(),
    member="departments",
    list_parameters=(OpenApiParameter("verbosity", str, enum=["meta", "brief", "verbose"]),),
)
PROJECTS = Level(
    Scope.Type.PROJECT,
    project_answers,
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
    one=ProjectDocument(),
    many=ProjectsDocument(),
    member="projects",
)


class LevelView(CallerView):
    """What the endpoints of one level share."""

    tag = "Organization"
    level: Level = CLUSTERS

    @property
    def resource(self) -> str:
        """What the OpenAPI document calls a scope of this level."""
        return self.level.type.label.lower()

    def visible(self) -> ScopeQuerySet:
        """Return the scopes of this level in sight; raise Denied where there can be none."""
        self.caller.authority.require_anywhere("read", self.level.type)
        return self.caller.authority.visible_scopes().filter(type=self.level.type)


class ScopesView(LevelView):
    """All in sight."""

    @property
    def listing(self) -> ListEndpoint:
        """How this level is listed."""
        return self.level.listing

    @property
    def answer_documents(self) -> dict[str, Document]:
        """What the list answers."""
        return {"GET": self.level.many}

    @property
    def query_parameters(self) -> tuple[OpenApiParameter, ...]:
        """The contract's own parameters, besides those that every list takes."""
        return self.level.list_parameters

    def get(self, request: Request) -> Response:
        """List {resource}s.

        The list holds the {resource}s that the caller can see.
        """
        page = self.level.listing.page(self.visible(), request.query_params)
        answers = self.level.answers(page.rows)
        if not self.level.member:
            return paged(request, page, answers)
        body: dict[str, Any] = {self.level.member: answers}
        if page.next is not None:
            body["next"] = page.next
        return paged(request, page, body)


class ScopesCountView(LevelView):
    """How many the list would hold."""

    counts = True
    answer_documents = {"GET": CountDocument()}

    @property
    def listing(self) -> ListEndpoint:
        """What may narrow the count."""
        return self.level.listing

    def get(self, request: Request) -> Response:
        """Count {resource}s.

        Counts what the list of {resource}s holds for the same parameters.
        """
        matching = self.level.listing.matching(self.visible(), request.query_params)
        return Response({"count": matching.count()})


class ScopeView(LevelView):
    """One of them."""

    @property
    def answer_documents(self) -> dict[str, Document]:
        """What one of them reads like."""
        return {"GET": self.level.one}

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
            raise NotFound(f"There is no {self.level.type.label.lower()} {uid[:80]!r}.")
        return Response(self.level.answers([scope])[0])
