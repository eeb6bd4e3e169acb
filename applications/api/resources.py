"""/api/v1/apps and /api/v1/service-accounts: the same resource (contract/README.md)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from applications import policy
from applications.actions.creation import create_application
from applications.actions.deletion import delete_application
from applications.actions.new_secrets import HashedSecret, IssuedSecret
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled
from applications.actions.token_lifetime import set_token_lifetime
from applications.addresses import MAX_NETWORKS
from applications.api.serializers import (
    COLUMNS,
    OWNER_TYPES,
    ApplicationSerializer,
    CreatedApplicationSerializer,
    SecretSerializer,
    application_row,
)
from applications.details import DetailsChange, change_details
from applications.filters import ApplicationFilterSet, DormancyTermFilter
from applications.models import Application
from applications.search import permission_filter, search
from applications.validators import (
    DESCRIPTION_MAX_LENGTH,
    LABEL_KEY_MAX_LENGTH,
    LABEL_KEY_PATTERN,
    LABEL_VALUE_MAX_LENGTH,
    MAX_LABELS,
    MIN_TOKEN_LIFETIME,
    NAME_MAX_LENGTH,
    NAME_PATTERN,
)
from runai_access.api.fields import TEXT, Body, Choice, Flag, Integer, Text
from runai_access.api.filter_by import Field, FieldType
from runai_access.api.idempotency import Result, already_done, idempotent
from runai_access.api.paging import ListEndpoint, paged
from runai_access.api.serializers import ResponseSerializer
from runai_access.lists.filters import NumberFilter
from runai_access.lists.sorts import Sort
from runai_access.lists.time_filters import TimeFilter

_FILTERS = ApplicationFilterSet.field_filters
_BY_NAME = Sort.text("search_text")
LIST = ListEndpoint(
    fields={
        "name": Field(_FILTERS["application"], _BY_NAME),
        "clientId": Field(_FILTERS["client_id"], _BY_NAME),
        "enabled": Field(
            NumberFilter("is_enabled", "is_enabled"), Sort.flag("is_enabled"), FieldType.FLAG
        ),
        "createdBy": Field(_FILTERS["created_by"], Sort.text("created_by")),
        "createdAt": Field.time("created_at"),
        "updatedAt": Field.time("updated_at"),
        "lastLogin": Field.time("last_login", is_nullable=True),
        "owner": Field(
            _FILTERS["owner"],
            Sort.text("owner_name", is_nullable=True, nulls_last=True),
            is_nullable=True,
        ),
        "description": Field(_FILTERS["description"], None),
        "labels": Field(_FILTERS["labels"], None, FieldType.LABEL),
        "secretCount": Field(
            NumberFilter("secret_count", "secret_count"),
            Sort.number("secret_count"),
            FieldType.NUMBER,
        ),
        "oldestSecretAt": Field.time("oldest_secret_at", is_nullable=True),
        "nextSecretExpiry": Field.time("next_secret_expiry", is_nullable=True),
        "containedAt": Field(
            TimeFilter("contained_at", can_be_never=True, is_partial=True),
            None,
            FieldType.TIME,
            is_nullable=True,
        ),
        "dormancy": Field(DormancyTermFilter(), None, is_nullable=True),
    },
    search=search,
    permission_filter=permission_filter,
    sort=_BY_NAME,
)


@extend_schema_field(
    {"type": "string", "pattern": NAME_PATTERN, "minLength": 2, "maxLength": NAME_MAX_LENGTH}
)
class Name(Text):
    """An application's name. The action validates it."""


class NewApplication(Body):
    """The application to create."""

    name = Name(error_messages={"blank": "Enter a name."})


class Labels(serializers.DictField):
    """Labels, from key to value. The action validates them."""

    child = Text(allow_blank=True)


_REQUIRED = serializers.ErrorDetail("This field is required.", code="required")
_ONLY_FALSE = serializers.ErrorDetail(
    "Can only be false, together with enabled true. To contain it, use …/contain.", code="invalid"
)


class ApplicationChange(Body):
    """The changes to an application. `enabled` is in the contract, the others are extensions."""

    enabled = Flag(required=False)
    contained = Flag(required=False)
    tokenLifetime = Integer(required=False, allow_null=True)
    owner = Text(required=False, allow_null=True)
    ownerType = Choice(required=False, choices=OWNER_TYPES)
    description = Text(required=False, allow_blank=True)
    labels = Labels(required=False)
    allowedAddresses = serializers.ListField(child=Text(allow_blank=True), required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"enabled": [_REQUIRED]})
        if "ownerType" in attrs and "owner" not in attrs:
            raise serializers.ValidationError({"owner": [_REQUIRED]})
        if "contained" in attrs and (attrs["contained"] or not attrs.get("enabled")):
            raise serializers.ValidationError({"contained": [_ONLY_FALSE]})
        return attrs


def _details_of(changes: dict[str, Any]) -> DetailsChange | None:
    """Return the change of details, if there is one."""
    if not changes.keys() & {"owner", "description", "labels", "allowedAddresses"}:
        return None
    return DetailsChange(
        owner=(changes["owner"] or "") if "owner" in changes else None,
        owner_type=changes.get("ownerType", ""),
        description=changes.get("description"),
        labels=changes.get("labels"),
        networks=changes.get("allowedAddresses"),
    )


# A serializer can't express "at least one of these".
CHANGE = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "enabled": {"type": "boolean"},
        "contained": {
            "type": "boolean",
            "enum": [False],
            "description": "With `enabled` true: the old secrets did not leak, and work again.",
        },
        "tokenLifetime": {
            "type": ["integer", "null"],
            "minimum": MIN_TOKEN_LIFETIME,
            "maximum": settings.TOKEN_LIFETIME_MAX_SECONDS,
            "description": "Lifetime of new tokens in seconds; null means the installation's default.",
        },
        "owner": {
            **TEXT,
            "type": ["string", "null"],
            "minLength": 1,
            "description": "Email of a user or name of a group; null means no owner.",
        },
        "ownerType": {
            "type": "string",
            "enum": OWNER_TYPES,
            "description": "Says which, if a user and a group have the name in `owner`.",
        },
        "description": {**TEXT, "maxLength": DESCRIPTION_MAX_LENGTH},
        "labels": {
            "type": "object",
            "maxProperties": MAX_LABELS,
            "propertyNames": {"pattern": LABEL_KEY_PATTERN, "maxLength": LABEL_KEY_MAX_LENGTH},
            "additionalProperties": {**TEXT, "maxLength": LABEL_VALUE_MAX_LENGTH},
            "description": "Replaces all labels.",
        },
        "allowedAddresses": {
            "type": "array",
            "items": TEXT,
            "maxItems": MAX_NETWORKS,
            "description": "Addresses and networks (CIDR) from which it can be used; empty for all.",
        },
    },
}


class ApplicationsView(CallerView):
    """The list of applications, and their creation."""

    tag = "Applications"
    listing = LIST
    idempotent = ("POST",)
    errors = {"POST": (409,)}
    resource = "application"
    created_serializer: type[ResponseSerializer] = CreatedApplicationSerializer

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of each method."""
        created = {201: self.created_serializer}
        return {"GET": ApplicationSerializer(many=True), "POST": created}

    def get(self, request: Request) -> Response:
        """List {resource}s.

        Lists the {resource}s visible to the caller. Without `limit`, lists all of them.
        """
        page = LIST.page(
            policy.visible(self.caller),
            request.query_params,
            self.caller.authority,
            values=COLUMNS,
        )
        return paged(request, page, [application_row(row) for row in page.rows])

    @extend_schema(request=NewApplication)
    def post(self, request: Request) -> Response:
        """Create {a resource}.

        Only this response contains the client secret.
        """
        policy.require(self.caller, "create")
        body = NewApplication(data=request.data)
        body.is_valid(raise_exception=True)
        name, secret = body.validated_data["name"], HashedSecret.new()

        def execute() -> Result:
            issued = create_application(caller=self.caller, name=name, secret=secret)
            response = Response(self.created_serializer.represent(issued), status=201)
            return Result(str(issued.application.pk), response)

        return idempotent(
            request, name, caller=self.caller_id, execute=execute, replay=secret_unavailable
        )


class ApplicationView(CallerView):
    """An application."""

    tag = "Applications"
    errors = {"PATCH": (409,)}
    resource = "application"

    @extend_schema(responses=ApplicationSerializer)
    def get(self, request: Request, application_id: str) -> Response:
        """Get {a resource}.

        Responds with 404 if the {resource} is not visible to the caller.
        """
        application = policy.visible_one(self.caller, application_id)
        return Response(ApplicationSerializer.represent(application))

    @extend_schema(request={"application/json": CHANGE}, responses=ApplicationSerializer)
    def patch(self, request: Request, application_id: str) -> Response:
        """Update {a resource}.

        Enables or disables it, or changes the lifetime of its new tokens, its owner, description,
        labels or allowed addresses. Disabling it revokes its tokens immediately. Responds with 409 if
        it is contained, and enabling it would let its client secrets from before work again.
        """
        policy.require_anywhere(self.caller, "update")
        body = ApplicationChange(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():  # all changes or none
            application = self._change(application_id, body.validated_data)
        return Response(ApplicationSerializer.represent(application))

    def _change(self, application_id: str, changes: dict[str, Any]) -> Application:
        application = policy.one_for(self.caller, "update", application_id)
        if "enabled" in changes:
            application = set_application_enabled(
                caller=self.caller, application_id=application_id, enabled=changes["enabled"],
                trusts_old_secrets="contained" in changes,
            )  # fmt: skip
        if "tokenLifetime" in changes:
            application = set_token_lifetime(
                caller=self.caller, application_id=application_id, seconds=changes["tokenLifetime"]
            )
        details = _details_of(changes)
        if details:
            application = change_details(
                caller=self.caller, application_id=application_id, change=details
            )
        return application

    @extend_schema(responses={204: None})
    def delete(self, request: Request, application_id: str) -> Response:
        """Delete {a resource}.

        Its secret and its tokens stop working immediately. Its access rules are deleted too.
        """
        delete_application(caller=self.caller, application_id=application_id)
        return Response(status=204)


class ReplacedSecretView(CallerView):
    """The base of views that replace the client secrets with one. The response contains it."""

    tag = "Applications"
    idempotent = ("POST",)
    resource = "application"
    secret_serializer: type[ResponseSerializer] = SecretSerializer

    @property
    def response_serializers(self) -> dict[str, Any]:
        """The serializer of each method."""
        return {"POST": {200: self.secret_serializer}}

    def replace(
        self, request: Request, application_id: str, action: Callable[..., IssuedSecret]
    ) -> Response:
        """Run `action` once, and respond with the new secret."""
        policy.one_to_manage_secrets(self.caller, application_id)
        secret = HashedSecret.new()

        def execute() -> Result:
            issued = action(caller=self.caller, application_id=application_id, secret=secret)
            response = Response(self.secret_serializer.represent(issued))
            return Result(str(issued.application.pk), response)

        return idempotent(
            request, None, caller=self.caller_id, execute=execute, replay=secret_unavailable
        )


class ApplicationSecretView(ReplacedSecretView):
    """Regeneration of the client secret. Only this response contains the new secret."""

    @extend_schema(request=None)
    def post(self, request: Request, application_id: str) -> Response:
        """Regenerate the secret of {a resource}.

        The previous secret and the tokens issued with it stop working immediately. Only this response
        contains the new secret.
        """
        return self.replace(request, application_id, regenerate_secret)


def secret_unavailable(application_id: str) -> Response:
    """Return the response to a repeated request. Its secret is not stored, so it is not shown again."""
    return already_done(
        application_id,
        "The secret can't be shown again. "
        f"Regenerate the secret of {application_id} to get a new one.",
    )
