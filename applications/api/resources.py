"""/api/v1/apps and /api/v1/service-accounts: one thing under two names (contract/README.md)."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.answers import time_answer
from accessrules.api.views import CallerView
from applications import policy
from applications.actions import (
    HashedSecret,
    IssuedSecret,
    create_application,
    delete_application,
    regenerate_secret,
    set_application_enabled,
    set_token_lifetime,
)
from applications.api.documents import (
    CHANGE,
    CREATED,
    SECRET,
    ApplicationDocument,
)
from applications.models import Application
from applications.validators import NAME_MAX_LENGTH, NAME_PATTERN
from runai_access.api.fields import Body, Flag, Text, WholeNumber
from runai_access.api.filtering import Field, FieldType
from runai_access.api.idempotency import Result, already_done, idempotent
from runai_access.api.listing import ListEndpoint, paged
from runai_access.db.expressions import BinaryCollation

# The order of the names, in which an index has them; see the model.
BY_NAME = BinaryCollation(F("search_text"))
LIST = ListEndpoint(
    fields={
        "name": Field("subject__name", normalized="subject__folded_name", order=BY_NAME),
        "clientId": Field("subject__name", normalized="subject__folded_name", order=BY_NAME),
        "enabled": Field("subject__enabled", FieldType.FLAG),
        # Emails, names of applications and "system": all in lower case.
        "createdBy": Field("created_by", order=BinaryCollation(F("created_by"))),
        "createdAt": Field("created_at", FieldType.TIME),
        "updatedAt": Field("updated_at", FieldType.TIME),
        "lastLogin": Field("last_login", FieldType.TIME, is_nullable=True),
    },
    search=("subject__name", "created_by"),
    order=(BY_NAME.asc(), "pk"),
)


@extend_schema_field(
    {"type": "string", "pattern": NAME_PATTERN, "minLength": 2, "maxLength": NAME_MAX_LENGTH}
)
class Name(Text):
    """An application's name; the action judges it."""


# What a list reads, in the order of `_answer`: rows and not objects, as a thousand of them in one
# answer is common.
COLUMNS = (
    "subject_id",
    "subject__name",
    "subject__enabled",
    "created_by",
    "created_at",
    "updated_at",
    "last_login",
    "token_lifetime",
)


class NewApplication(Body):
    """The body that creates an application."""

    name = Name(error_messages={"blank": "Enter a name."})


_REQUIRED = serializers.ErrorDetail("This field is required.", code="required")


class ApplicationChange(Body):
    """The body that changes an application: `enabled` is the contract's, `tokenLifetime` ours."""

    enabled = Flag(required=False)
    tokenLifetime = WholeNumber(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"enabled": [_REQUIRED]})
        return attrs


class ApplicationsView(CallerView):
    """The collection. `secret_member` is what the answer calls the secret."""

    tag = "Applications"
    listing = LIST
    idempotent = ("POST",)
    errors = {"POST": (409,)}
    secret_member = "secret"  # noqa: S105  # a member's name
    resource = "application"

    @property
    def answer_documents(self) -> dict[str, Any]:
        """What the methods answer."""
        created = {201: CREATED[self.secret_member]}
        return {"GET": ApplicationDocument(many=True), "POST": created}

    def get(self, request: Request) -> Response:
        """List {resource}s.

        The list holds every {resource} that the caller can see, unless `limit` asks for fewer.
        """
        page = LIST.page(policy.visible(self.caller), request.query_params, COLUMNS)
        return paged(request, page, [_answer(row) for row in page.rows])

    @extend_schema(request=NewApplication)
    def post(self, request: Request) -> Response:
        """Create {a resource}.

        Only this answer shows the client secret.
        """
        policy.require(self.caller, "create")
        body = NewApplication(data=request.data)
        body.is_valid(raise_exception=True)
        name, secret = body.validated_data["name"], HashedSecret.new()

        def make() -> Result:
            issued = create_application(caller=self.caller, name=name, secret=secret)
            answer = _issued(issued, self.secret_member)
            return Result(answer["id"], Response(answer, status=201))

        return idempotent(
            request, name, caller=self.caller_id, execute=make, replay=_secret_was_shown
        )


class ApplicationView(CallerView):
    """One application."""

    tag = "Applications"
    resource = "application"

    @extend_schema(responses=ApplicationDocument)
    def get(self, request: Request, application_id: str) -> Response:
        """Get {a resource}.

        Answers 404 unless the caller can see the {resource}.
        """
        return Response(application_answer(policy.visible_one(self.caller, application_id)))

    @extend_schema(request={"application/json": CHANGE}, responses=ApplicationDocument)
    def patch(self, request: Request, application_id: str) -> Response:
        """Update {a resource}.

        Enables or disables it, or sets the lifetime of its next tokens. Disabling it revokes its
        tokens immediately.
        """
        policy.require_anywhere(self.caller, "update")
        body = ApplicationChange(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():  # both changes or none
            application = self._change(application_id, body.validated_data)
        return Response(application_answer(application))

    def _change(self, application_id: str, wanted: dict[str, Any]) -> Application:
        application = policy.one_for(self.caller, "update", application_id)
        if "enabled" in wanted:
            application = set_application_enabled(
                caller=self.caller, application_id=application_id, enabled=wanted["enabled"]
            )
        if "tokenLifetime" in wanted:
            application = set_token_lifetime(
                caller=self.caller, application_id=application_id, seconds=wanted["tokenLifetime"]
            )
        return application

    @extend_schema(responses={204: None})
    def delete(self, request: Request, application_id: str) -> Response:
        """Delete {a resource}.

        Its secret and its tokens stop working immediately. Its access rules are deleted too.
        """
        delete_application(caller=self.caller, application_id=application_id)
        return Response(status=204)


class ApplicationSecretView(CallerView):
    """Replaces the secret; the answer is the only one that ever shows it."""

    tag = "Applications"
    idempotent = ("POST",)
    secret_member = "secret"  # noqa: S105  # a member's name
    resource = "application"

    @property
    def answer_documents(self) -> dict[str, Any]:
        """What the methods answer."""
        return {"POST": {200: SECRET[self.secret_member]}}

    @extend_schema(request=None)
    def post(self, request: Request, application_id: str) -> Response:
        """Regenerate the secret of {a resource}.

        The previous secret and the tokens issued with it stop working immediately. Only this answer
        shows the new secret.
        """
        policy.one_for(self.caller, "update", application_id)
        secret = HashedSecret.new()

        def make() -> Result:
            issued = regenerate_secret(
                caller=self.caller, application_id=application_id, secret=secret
            )
            return Result(str(issued.application.pk), Response({self.secret_member: issued.secret}))

        return idempotent(
            request, None, caller=self.caller_id, execute=make, replay=_secret_was_shown
        )


def application_answer(application: Application) -> dict[str, Any]:
    """Return an application as both generations of clients know it."""
    return _answer(
        (
            application.pk,
            application.name,
            application.enabled,
            application.created_by,
            application.created_at,
            application.updated_at,
            application.last_login,
            application.token_lifetime,
        )
    )


def _answer(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the answer for one row of COLUMNS."""
    id_, name, enabled, created_by, created_at, updated_at, last_login, token_lifetime = row
    return {
        "id": str(id_),
        "name": name,
        "clientId": name,
        "tenantId": str(settings.ACCOUNT_ID),
        "enabled": enabled,
        "createdBy": created_by,
        "createdAt": time_answer(created_at),
        "updatedAt": time_answer(updated_at),
        "lastLogin": time_answer(last_login),
        "tokenLifetime": token_lifetime,
    }


def _secret_was_shown(application_id: str) -> Response:
    """Answer a request that was carried out before: its secret is not kept, so it can't be repeated."""
    return already_done(
        application_id,
        "Its secret can't be shown again. "
        f"Regenerate the secret of {application_id} for a new one.",
    )


def _issued(issued: IssuedSecret, secret_member: str) -> dict[str, str]:
    return {
        "id": str(issued.application.pk),
        "name": issued.application.name,
        "clientId": issued.application.client_id,
        secret_member: issued.secret,
    }
