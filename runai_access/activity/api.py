"""/api/v1/audit/log: the audit log (contract/README.md, Scopes)."""

from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accessrules.api.views import CallerView
from runai_access.activity.bounded_query import search
from runai_access.activity.filters import EventAddressFilter, EventTermFilter, values_of
from runai_access.activity.serializers import ACTIONS, AuditLogSerializer
from runai_access.api.errors import InvalidParameter
from runai_access.api.filter_by import Field, read_time
from runai_access.api.paging import ListEndpoint, paged
from runai_access.audit.expressions import RESPONSE_VALUES
from runai_access.audit.models import AuditEvent
from runai_access.db.expressions import BinaryCollation, SQLiteNoIndexHint
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization_sql import LowerAscii
from runai_access.lists.filters import PlainTextFilter
from runai_access.lists.selection import ListFilter
from runai_access.lists.sorts import Groups, Sort

_THEN = "time"  # each index has it after the column, so it orders rows with equal values


def _term(column: str) -> Field:
    """Return a field of a column with few values: the index has the events of each by time."""
    groups = Groups(column, lambda _: [(value, [value]) for value in values_of(column)])
    by_value = Sort(BinaryCollation(F(column)), groups=groups, then=_THEN)
    return Field(EventTermFilter(column), by_value)


def _text(column: str, sorted_by: str = "") -> Field:
    return Field(PlainTextFilter(column), Sort(LowerAscii(F(sorted_by or column)), then=_THEN))


def _events() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(action__in=ACTIONS).annotate(**RESPONSE_VALUES)


LIST = ListEndpoint(
    fields={
        "timestamp": Field.time("time"),
        "subject": _text("subject_name"),
        "subject_type": _term("response_type"),
        "source_ip": Field(
            EventAddressFilter("source_ip"),
            Sort(F("source_ip"), is_nullable=True, nulls_last=True, then=_THEN),
            is_nullable=True,
        ),
        "action": _term("action"),
        "http_method": _term("response_method"),
        "result": _term("result"),
        # Only events without a path have no URL, so both have the same order.
        "url": _text("response_url", sorted_by="path"),
        "entity_type": _term("entity_type"),
        "entity_name": _text("entity_name"),
        "entity_id": _text("entity_id"),
    },
    search=lambda text, _: search(text),
    sort=Sort.time("time"),
    indexed_rows=lambda _: _events(),
    default_limit=20,
    max_limit=1000,
    min_limit=0,
    unsupported_fields=("cluster_name",),
    is_scanned=True,
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
        period = Q(
            time__gte=read_time("start", _required(parameters, "start")),
            time__lte=read_time("end", _required(parameters, "end")),
        )
        # Most events have one of the actions, so their index would return nearly all rows, unsorted.
        tested = SQLiteNoIndexHint(F("action"))
        keys = KeySubquery.of(_events().filter(period))
        page = LIST.page(
            AuditEvent.objects.annotate(**RESPONSE_VALUES).alias(any_action=tested),
            parameters,
            self.caller.authority,
            more=[ListFilter(period & Q(any_action__in=ACTIONS), keys, column="time")],
            complete=lambda events: events.annotate(**RESPONSE_VALUES),
        )
        return paged(request, page, AuditLogSerializer.represent(page))


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
