"""The client secrets of an application: list, add, revoke."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from applications import policy
from applications.actions.new_secrets import HashedSecret, default_expiry
from applications.actions.secrets import add_secret, revoke_secret
from applications.api.serializers import (
    AddedSecretSerializer,
    ClientSecretDetailsSerializer,
    StoredSecretSerializer,
)
from applications.models import LABEL_MAX_LENGTH
from applications.oauth.secrets import is_id
from applications.secret_reports import reports_of
from runai_access.api.fields import Body, Text
from runai_access.api.idempotency import Result, already_done, idempotent
from runai_access.api.serializers import ResponseSerializer
from runai_access.errors import NotFound


class NewSecret(Body):
    """The client secret to add. Without `expiresAt`, the setting of the installation decides."""

    label = Text(  # type: ignore[assignment]  # not the label of the field
        required=False, allow_blank=True, max_length=LABEL_MAX_LENGTH
    )
    expiresAt = serializers.DateTimeField(required=False, allow_null=True)


class ClientSecretsView(CallerView):
    """The client secrets of an application, and adding one."""

    tag = "Applications"
    idempotent = ("POST",)
    errors = {"POST": (409,)}
    resource = "application"
    added_serializer: type[ResponseSerializer] = AddedSecretSerializer

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of each method."""
        added = {201: self.added_serializer}
        return {"GET": StoredSecretSerializer(many=True), "POST": added}

    def get(self, request: Request, application_id: str) -> Response:
        """List the client secrets of {a resource}.

        Lists live secrets and the last ones that have ended, newest first, without their texts.
        """
        application = policy.visible_one(self.caller, application_id)
        reports = reports_of(application)
        return Response([StoredSecretSerializer.represent(report) for report in reports])

    @extend_schema(request=NewSecret)
    def post(self, request: Request, application_id: str) -> Response:
        """Add a client secret to {a resource}.

        `expiresAt` null means never. The other secrets keep working; at most five can be live at a
        time. Only this response contains the text of the new one.
        """
        policy.one_to_manage_secrets(self.caller, application_id)
        body = NewSecret(data=request.data)
        body.is_valid(raise_exception=True)
        given, secret = {"expiresAt": default_expiry(), **body.validated_data}, HashedSecret.new()

        def execute() -> Result:
            issued = add_secret(
                caller=self.caller, application_id=application_id,
                label=given.get("label", ""), expires_at=given["expiresAt"], secret=secret,
            )  # fmt: skip
            response = Response(self.added_serializer.represent(issued), status=201)
            return Result(issued.stored.pk, response)

        return idempotent(
            request,
            request.data,
            caller=self.caller_id,
            execute=execute,
            replay=_secret_unavailable,
        )


class ClientSecretView(CallerView):
    """A client secret of an application."""

    tag = "Applications"
    resource = "application"

    @extend_schema(responses=ClientSecretDetailsSerializer)
    def get(self, request: Request, application_id: str, secret_id: str) -> Response:
        """Get a client secret of {a resource}.

        Without its text, but with its use: who used it in the last 30 days, and on which of the last
        90 days. It is safe to revoke if nobody has used it for a day, nor has a token from it.
        """
        application = policy.visible_one(self.caller, application_id)
        reports = reports_of(application, secret_id) if is_id(secret_id) else []
        if not reports:
            raise NotFound("Resource id not found.")
        return Response(ClientSecretDetailsSerializer.represent(reports[0]))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, application_id: str, secret_id: str) -> Response:
        """Revoke a client secret of {a resource}.

        The secret and the tokens issued with it stop working immediately. Other secrets keep working.
        """
        revoke_secret(caller=self.caller, application_id=application_id, secret_id=secret_id)
        return Response(status=204)


def _secret_unavailable(secret_id: str) -> Response:
    return already_done(
        secret_id, f"The secret can't be shown again. Revoke {secret_id} and add another one."
    )
