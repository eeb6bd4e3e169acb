"""/api/v1/audit/log: the audit log (contract/README.md, Scopes)."""

from datetime import datetime

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from runai_access.activity.bounded_query import search
from runai_access.activity.filters import EventAddressFilter, EventTermFilter
from runai_access.activity.serializers import ACTIONS, AuditLogSerializer
from runai_access.api.errors import InvalidParameter
from runai_access.api.filter_by import Field, read_time
from runai_access.api.paging import ListEndpoint, paged
from runai_access.audit.models import AuditEvent
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.lists.sorts import Sort


def _term(column: str) -> Field:
    return Field(EventTermFilter(column), Sort.text(column))


LIST = ListEndpoint(
    fields={
        "timestamp": Field.time("time", is_indexed=False),
        "subject": Field.text("subject_name"),
        "subject_type": Field.text("response_type"),
        "source_ip": Field(
            EventAddressFilter("source_ip"),
            Sort(F("source_ip"), is_nullable=True, nulls_last=True),
            is_nullable=True,
        ),
        "action": _term("action"),
        "http_method": Field.text("response_method"),
        "result": _term("result"),
        "url": Field.text("response_url"),
        "entity_type": _term("entity_type"),
        "entity_name": Field.text("entity_name"),
        "entity_id": Field.text("entity_id"),
    },
    search=lambda text, _: search(text),
    sort=Sort.time("time"),
    default_limit=20,
    max_limit=1000,
    min_limit=0,
    unsupported_fields=("cluster_name",),
    scanned_by="time",
)


class AuditLogView(CallerView):
    """The audit log between two times."""

    tag = "Audit log"
    listing = LIST
    query_parameters = [
        OpenApiParameter("start", datetime, required=True),
        OpenApiParameter("end", datetime, required=True),
        OpenApiParameter("numberOfSamples", {"type": "integer", "minimum": 0, "maximum": 1000}),
    ]

    @extend_schema(responses=AuditLogSerializer)
    def get(self, request: Request) -> Response:
        """List audit log entries.

        Lists the entries from `start` to `end`, oldest first. With a session, responds with 403 if its
        user last entered the password too long ago, as for downloads on the Activity page.
        """
        self.caller.authority.require_audit_log()
        self.caller.require_recent_authentication()
        parameters = _with_limit(request.query_params)
        # Most events have one of the actions, so their index would return nearly all rows, unsorted.
        events = AuditEvent.objects.alias(any_action=SQLiteNoIndexHint(F("action"))).filter(
            any_action__in=ACTIONS,
            time__gte=read_time("start", _required(parameters, "start")),
            time__lte=read_time("end", _required(parameters, "end")),
        )
        page = LIST.page(
            _with_response_values(events),
            parameters,
            self.caller.authority,
            complete=_with_response_values,
        )
        return paged(request, page, AuditLogSerializer.represent(page))


# The values of the response, so that clients can filter by what they read.
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


def _with_response_values(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    return events.annotate(response_type=_TYPE, response_method=_METHOD, response_url=_URL)


def _with_limit(query: QueryDict) -> QueryDict:
    """Return the parameters with `numberOfSamples`, this endpoint's name for it, as `limit`."""
    parameters = query.copy()
    LIST.read_limit(query)  # validated even if `numberOfSamples` overrides it
    samples = LIST.read_limit(query, "numberOfSamples")
    if samples is not None:
        parameters["limit"] = str(samples)
    return parameters


def _required(parameters: QueryDict, name: str) -> str:
    text = parameters.get(name, "")
    if not text:
        raise InvalidParameter(f"{name} is required and must be an ISO 8601 time.")
    return text
