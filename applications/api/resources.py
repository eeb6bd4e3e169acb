"""/api/v1/apps and /api/v1/service-accounts: one thing under two names (contract/README.md)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.answers import time_answer
from accessrules.api.views import CallerView
from applications import policy
from applications.actions import (
    Issued,
    create_application,
    delete_application,
    regenerate_secret,
    set_application_enabled,
)
from applications.models import Application
from runai_access.api.fields import Flag, Text
from runai_access.api.filtering import Field, Kind
from runai_access.api.listing import Listing, paged

LISTING = Listing(
    fields={
        "name": Field("subject__name"),
        "clientId": Field("subject__name"),
        "enabled": Field("subject__enabled", Kind.FLAG),
        "createdBy": Field("created_by"),
        "createdAt": Field("created_at", Kind.TIME),
        "updatedAt": Field("updated_at", Kind.TIME),
        "lastLogin": Field("last_login", Kind.TIME),
    },
    search=("subject__name", "created_by"),
    order=("subject__name", "pk"),
)


class NewApplication(serializers.Serializer):  # type: ignore[type-arg]  # no model instance behind it
    """The body that creates an application; the action judges the name."""

    name = Text(allow_blank=True, trim_whitespace=False, max_length=10_000)


class ApplicationChange(serializers.Serializer):  # type: ignore[type-arg]  # no model instance behind it
    """The body that changes an application: there is nothing else to change."""

    enabled = Flag()


class ApplicationsView(CallerView):
    """The collection. `secret_member` is what the answer calls the secret."""

    secret_member = "secret"  # noqa: S105  # a member's name

    def get(self, request: Request) -> Response:
        page = LISTING.page(policy.visible(self.caller), request.query_params)
        return paged(request, page, [application_answer(row) for row in page.rows])

    def post(self, request: Request) -> Response:
        policy.require(self.caller, "create")
        body = NewApplication(data=request.data)
        body.is_valid(raise_exception=True)
        issued = create_application(caller=self.caller, name=body.validated_data["name"])
        return Response(_issued(issued, self.secret_member), status=201)


class ApplicationView(CallerView):
    """One application."""

    def get(self, request: Request, application_id: str) -> Response:
        return Response(application_answer(policy.visible_one(self.caller, application_id)))

    def patch(self, request: Request, application_id: str) -> Response:
        policy.require_anywhere(self.caller, "update")
        body = ApplicationChange(data=request.data)
        body.is_valid(raise_exception=True)
        application = set_application_enabled(
            caller=self.caller,
            application_id=application_id,
            enabled=body.validated_data["enabled"],
        )
        return Response(application_answer(application))

    def delete(self, request: Request, application_id: str) -> Response:
        delete_application(caller=self.caller, application_id=application_id)
        return Response(status=204)


class ApplicationSecretView(CallerView):
    """Replaces the secret; the answer is the only one that ever shows it."""

    secret_member = "secret"  # noqa: S105  # a member's name

    def post(self, request: Request, application_id: str) -> Response:
        issued = regenerate_secret(caller=self.caller, application_id=application_id)
        return Response({self.secret_member: issued.secret})


def application_answer(application: Application) -> dict[str, Any]:
    """Return an application as both generations of clients know it."""
    return {
        "id": str(application.pk),
        "name": application.name,
        "clientId": application.client_id,
        "tenantId": str(settings.ACCOUNT_ID),
        "enabled": application.enabled,
        "createdBy": application.created_by,
        "createdAt": time_answer(application.created_at),
        "updatedAt": time_answer(application.updated_at),
        "lastLogin": time_answer(application.last_login),
    }


def _issued(issued: Issued, secret_member: str) -> dict[str, str]:
    return {
        "id": str(issued.application.pk),
        "name": issued.application.name,
        "clientId": issued.application.client_id,
        secret_member: issued.secret,
    }
