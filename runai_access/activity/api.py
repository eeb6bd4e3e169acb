"""/api/v1/audit/log: the audit log (contract/README.md, Scopes)."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import Concat
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.answers import time_answer
from accessrules.api.documents import Document
from accessrules.api.views import CallerView
from runai_access.api.errors import InvalidParameter
from runai_access.api.filtering import Field, FieldType, read_time
from runai_access.api.listing import ListEndpoint, paged
from runai_access.audit.models import AuditEvent

# What the contract has words for; refused reads have none there.
ACTIONS = ("create", "update", "delete", "sign-in", "sign-out", "reset-password")

LIST = ListEndpoint(
    fields={
        "timestamp": Field("time", FieldType.TIME),
        "subject": Field("subject_name"),
        "subject_type": Field("answered_type"),
        "source_ip": Field("source_ip", FieldType.ADDRESS, is_nullable=True),
        # The server itself writes these, so their case needs no folding and their index has the order.
        "action": Field("action", order=F("action")),
        "http_method": Field("answered_method"),
        "result": Field("result", order=F("result")),
        "url": Field("answered_url"),
        "entity_type": Field("entity_type", order=F("entity_type")),
        "entity_name": Field("entity_name"),
        "entity_id": Field("entity_id"),
    },
    search=("subject_name", "entity_name"),
    order=("time", "pk"),
    default_limit=20,
    max_limit=1000,
    min_limit=0,
    not_kept=("cluster_name",),
)


class EventDocument(Document):
    """One event, with the members that some version of the official clients requires.

    A command has no request: `source_ip` and `url` are empty, `http_method` is the method that the
    API uses for the same action, and `http_status_code` is 200.
    """

    id = serializers.UUIDField()
    tenant_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    subject = serializers.CharField()
    subject_type = serializers.ChoiceField(choices=["User", "App"])
    action = serializers.ChoiceField(choices=ACTIONS)
    result = serializers.ChoiceField(choices=["Succeeded", "Failed"])
    entity_type = serializers.CharField()
    entity_id = serializers.CharField()
    entity_name = serializers.CharField()
    metadata = serializers.DictField(child=serializers.CharField())
    source_ip = serializers.CharField()
    http_method = serializers.CharField()
    url = serializers.CharField()
    http_status_code = serializers.IntegerField()
    request_id = serializers.UUIDField(required=False)

    class Meta:
        ref_name = "AuditEvent"


class EventsDocument(Document):
    total = serializers.IntegerField()
    next = serializers.IntegerField(required=False)
    audit_logs = EventDocument(many=True)

    class Meta:
        ref_name = "AuditLog"


class AuditLogView(CallerView):
    """The record between two times."""

    tag = "Audit log"
    listing = LIST
    query_parameters = [
        OpenApiParameter("start", datetime, required=True),
        OpenApiParameter("end", datetime, required=True),
        OpenApiParameter("numberOfSamples", {"type": "integer", "minimum": 0, "maximum": 1000}),
    ]

    @extend_schema(responses=EventsDocument)
    def get(self, request: Request) -> Response:
        """List audit log entries.

        The list holds the entries from `start` to `end`, oldest first.
        """
        self.caller.authority.require_audit_log()
        parameters = _with_limit(request.query_params)
        events = AuditEvent.objects.filter(
            action__in=ACTIONS,
            time__gte=read_time("start", _required(parameters, "start")),
            time__lte=read_time("end", _required(parameters, "end")),
        ).annotate(answered_type=_TYPE, answered_method=_METHOD, answered_url=_URL)
        page = LIST.page(events, parameters)
        body: dict[str, Any] = {
            "total": page.total,
            "audit_logs": [_answer(event) for event in page.rows],
        }
        if page.next is not None:
            body["next"] = page.next
        return paged(request, page, body)


# As they are answered, so that what is read can be asked for.
_TYPE = Case(When(subject_type="app", then=Value("App")), default=Value("User"))
_METHOD = Case(
    When(~Q(http_method=""), then="http_method"),
    When(action="update", then=Value("PATCH")),
    When(action="delete", then=Value("DELETE")),
    default=Value("POST"),
    output_field=TextField(),
)
_URL = Case(
    When(http_method="", then=Value("")),
    default=Concat(Value(settings.PUBLIC_URL), "path"),
    output_field=TextField(),
)


def _with_limit(given: QueryDict) -> QueryDict:
    """Return the parameters with `numberOfSamples`, this endpoint's own name, as `limit`."""
    parameters = given.copy()
    LIST.read_limit(given)  # is to be a number even where the other one counts
    samples = LIST.read_limit(given, "numberOfSamples")
    if samples is not None:
        parameters["limit"] = str(samples)
    return parameters


def _required(parameters: QueryDict, name: str) -> str:
    text = parameters.get(name, "")
    if not text:
        raise InvalidParameter(f"{name} is required: an ISO 8601 time.")
    return text


def _answer(event: AuditEvent) -> dict[str, Any]:
    answer = {
        "id": str(uuid.UUID(int=event.pk)),
        "tenant_id": str(settings.ACCOUNT_ID),
        "timestamp": time_answer(event.time),
        "subject": event.subject_name,
        "subject_type": event.answered_type,  # type: ignore[attr-defined]  # annotated by the view
        "action": event.action,
        "result": event.result,
        "entity_type": event.entity_type,
        "entity_id": event.entity_id,
        "entity_name": event.entity_name,
        "metadata": {"reason": event.reason} if event.reason else {},
        "source_ip": event.source_ip or "",
        "http_method": event.answered_method,  # type: ignore[attr-defined]  # annotated by the view
        "url": event.answered_url,  # type: ignore[attr-defined]  # annotated by the view
        "http_status_code": status_code_of(event),
    }
    if event.request_id:
        answer["request_id"] = str(event.request_id)
    return answer


def status_code_of(event: AuditEvent) -> int:
    """Return the status that the request of `event` was answered with; 200 for a command.

    The audit log doesn't store it: an event is written before its request is answered. Method, path
    and action determine it. A page that made a change counts as 200, whether it redirects or not; a
    sign-in that has to wait counts as 401 like every failed one.
    """
    if event.result == AuditEvent.Result.FAILED:
        return 401 if event.action == "sign-in" else 403
    if event.http_method == "DELETE":
        return 204
    is_api_create = event.action == "create" and event.path.startswith("/api/")
    return 201 if is_api_create and "/batch" not in event.path else 200
