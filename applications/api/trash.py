"""Deleted applications: the list, restoring one; and creating an application like another one."""

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from accessrules.authorization.effective_access import sees_all_rules
from applications import policy
from applications.actions.new_secrets import HashedSecret
from applications.api.resources import NewApplication, secret_unavailable
from applications.api.serializers import (
    CopiedApplicationSerializer,
    DeletedApplicationSerializer,
    RestoredApplicationSerializer,
)
from applications.copying import create_application_like
from applications.filters import TrashFilterSet
from applications.search import search_trash
from applications.trash import restore_application
from runai_access.api.filter_by import Field
from runai_access.api.idempotency import Result, idempotent
from runai_access.api.paging import ListEndpoint, paged
from runai_access.api.serializers import ResponseSerializer
from runai_access.lists.selection import ListFilter
from runai_access.lists.sorts import Sort

_FILTERS = TrashFilterSet.field_filters
_BY_NAME = Sort.text("name")
LIST = ListEndpoint(
    fields={
        "name": Field(_FILTERS["application"], _BY_NAME),
        "createdBy": Field(_FILTERS["created_by"], Sort.text("created_by")),
        "createdAt": Field.time("created_at"),
        "deletedBy": Field(_FILTERS["deleted_by"], Sort.text("deleted_by")),
        "deletedAt": Field.time("deleted_at"),
    },
    search=lambda text, _: search_trash(text),
    # The index of a time also has applications that can no longer be restored.
    permission_filter=lambda _: ListFilter(Q()),
    sort=_BY_NAME,
    default_limit=50,
)


class DeletedApplicationsView(CallerView):
    """The deleted applications that can be restored."""

    tag = "Applications"
    listing = LIST

    @extend_schema(responses=DeletedApplicationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List deleted service accounts.

        Lists those of the last 30 days, which can be restored. Requires reading all service accounts.
        `accessRules` is null if you can't read all access rules.
        """
        rows = policy.deleted(self.caller)
        page = LIST.page(rows, request.query_params, self.caller.authority)
        documents = DeletedApplicationSerializer.represent_all(page.rows)
        if not sees_all_rules(self.caller.authority):
            documents = [{**document, "accessRules": None} for document in documents]
        return paged(request, page, documents)


class RestoreView(CallerView):
    """Restoring a deleted application."""

    tag = "Applications"
    errors = {"POST": (409,)}
    resource = "application"

    @extend_schema(request=None, responses=RestoredApplicationSerializer)
    def post(self, request: Request, application_id: str) -> Response:
        """Restore {a resource}.

        It was deleted in the last 30 days. Its details, access rules and group memberships come back,
        its secrets and tokens don't. Requires every permission that it gets back. `lostAccessRules` are
        those that expired, or whose role or scope no longer exists. Responds with 409 if its name was
        taken.
        """
        restored = restore_application(caller=self.caller, application_id=application_id)
        lost = restored.restoration.visible_lost_rules(self.caller.authority)
        restored.application.refresh_from_db()  # for the columns that triggers maintain
        document = {"application": restored.application, "lost_rules": lost}
        return Response(RestoredApplicationSerializer.represent(document))


class CopiesView(CallerView):
    """Creating an application like another one."""

    tag = "Applications"
    idempotent = ("POST",)
    errors = {"POST": (409,)}
    resource = "application"
    copied_serializer: type[ResponseSerializer] = CopiedApplicationSerializer

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of each method."""
        return {"POST": {201: self.copied_serializer}}

    @extend_schema(request=NewApplication)
    def post(self, request: Request, application_id: str) -> Response:
        """Create {a resource} like another one.

        It gets the token lifetime and the allowed addresses of the other one, and the access rules that
        you can grant, with their expiry. Only this response contains the client secret.
        """
        policy.require(self.caller, "create")
        policy.visible_one(self.caller, application_id)
        body = NewApplication(data=request.data)
        body.is_valid(raise_exception=True)
        name, secret = body.validated_data["name"], HashedSecret.new()

        def execute() -> Result:
            copy = create_application_like(
                caller=self.caller, application_id=application_id, name=name, secret=secret
            )
            response = Response(self.copied_serializer.represent(copy), status=201)
            return Result(str(copy.issued.application.pk), response)

        return idempotent(
            request, name, caller=self.caller_id, execute=execute, replay=secret_unavailable
        )
