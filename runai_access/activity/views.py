"""The Activity page and the event dialog. They require the “View event history” permission."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accessrules.authorization.callers import caller_of
from runai_access.activity.bounded_query import BoundedQuery
from runai_access.activity.descriptions import describe_field, describe_value, document_of
from runai_access.activity.filters import EventFilterSet
from runai_access.activity.tables import EventTable
from runai_access.audit.models import AuditEvent
from runai_access.errors import NotFound
from runai_access.lists.selection import ListFilter
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.list_views import ListView


class ActivityPage(ListView):
    """The audit log as a list."""

    namespace = "activity"
    title, noun, plural = "Activity", "event", "events"
    searched = "subject and entity names"
    empty_template = "activity/_empty.html"
    notice_template = "activity/_scan_limit.html"
    template = "activity/list.html"
    table, filters = EventTable, EventFilterSet
    document = staticmethod(document_of)

    def rows(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        caller_of(request).authority.require_audit_log()
        return AuditEvent.objects.all()

    def download_view(self, request: HttpRequest) -> HttpResponse:
        caller_of(request).require_recent_authentication()
        return super().download_view(request)

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        caller_of(request).require_recent_authentication()
        return super().csv_view(request)

    def json_view(self, request: HttpRequest) -> HttpResponseBase:
        caller_of(request).require_recent_authentication()
        return super().json_view(request)

    def authority(self, request: HttpRequest) -> BoundedQuery:
        return BoundedQuery()

    def search(self, text: str, authority: BoundedQuery) -> ListFilter:
        return authority.search(text)


PAGE = ActivityPage()


@require_safe
def event(request: HttpRequest, event_id: int) -> HttpResponse:
    """Show all details of an event."""
    caller_of(request).authority.require_audit_log()
    try:
        audit_event = AuditEvent.objects.get(pk=event_id)
    except (AuditEvent.DoesNotExist, OverflowError):
        raise NotFound(
            "Event not found. It might have been archived after the retention period."
        ) from None
    changes = [
        (describe_field(name), *(describe_value(value) for value in pair))
        for name, pair in audit_event.changes.items()
    ]
    context = {"event": audit_event, "changes": changes}
    return render_dialog(request, "activity/_event.html", context, parent_page=PAGE.parent_page)
