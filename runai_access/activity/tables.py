"""The Activity table."""

from runai_access.activity.descriptions import (
    describe_action,
    describe_changes,
    describe_entity,
    describe_subject_type,
    describe_type,
    has_history,
    name_without_type,
)
from runai_access.audit.models import AuditEvent
from runai_access.lists.export import SpreadsheetTime
from runai_access.lists.markup import clip, marked, markup, moment, muted
from runai_access.lists.sorts import Sort
from runai_access.lists.tables import ListColumn, ListTable
from runai_access.row_urls import history_url
from runai_access.ui.dialogs import dialog_url

_EMPTY = "—"


class EventTable(ListTable):
    """The columns of the Activity page. It is sorted by time only, as the filters' indexes are."""

    time = ListColumn(
        "Time",
        sort=Sort.time("time"),
        exports=(SpreadsheetTime("time"),),
        says_zone=True,
    )
    subject = ListColumn("Subject", exports=("subject_name",))
    action = ListColumn("Action", exports=("action",), as_text=describe_action)
    entity = ListColumn("Entity", exports=("entity_type", "entity_name"), as_text=describe_entity)
    result = ListColumn("Result", exports=("result",))
    details = ListColumn(
        "Details", exports=("action", "changes", "reason"),
        as_text=lambda action, changes, reason: "; ".join(
            [*describe_changes(action, changes), *([reason] if reason else [])]
        ),
    )  # fmt: skip
    source_ip = ListColumn("Source address", exports=("source_ip",))
    subject_type = ListColumn("Subject type", exports=("subject_type",), is_shown=False)
    entity_id = ListColumn("Entity ID", exports=("entity_id",), is_shown=False)
    request = ListColumn(
        "Request", exports=("http_method", "path"),
        as_text=lambda method, path: f"{method} {path}".strip(), is_shown=False,
    )  # fmt: skip
    request_id = ListColumn("Request ID", exports=("request_id",), is_shown=False)

    name = "activity"
    default_sort = "-time"
    model = AuditEvent
    has_row_pages = False

    def render_time(self, record: AuditEvent) -> str:
        """Show the time, with a link to the event's dialog."""
        return markup(
            '<a class="row-name" id="event-{}" href="{}" hx-boost="true" hx-target="#dialog"'
            ' hx-swap="innerHTML" hx-indicator="#loading">{}</a>',
            record.pk, dialog_url("activity:event", record.pk, back=self.address),
            moment(record.time, seconds=True, in_column=True),
        )  # fmt: skip

    def render_subject(self, record: AuditEvent) -> str:
        shown = clip(record.subject_name, self.search)
        if record.subject_type in ("user", record.subject_name):
            return shown
        type_ = describe_subject_type(record.subject_type)
        return markup('<span class="named">{} <small class="muted">{}</small></span>', shown, type_)

    def render_action(self, record: AuditEvent) -> str:
        return describe_action(record.action)

    def render_entity(self, record: AuditEvent) -> str:
        """Show the entity, with a link to its history if it has one."""
        name = marked(name_without_type(record), self.search)
        if has_history(record):
            shown = markup(
                '<a class="clip row-name" href="{}" title="{}">{}</a>',
                history_url(record.entity_type, record.entity_id), record.entity_name, name,
            )  # fmt: skip
        else:
            shown = markup('<span class="clip" title="{}">{}</span>', record.entity_name, name)
        type_ = describe_type(record.entity_type)
        return markup('<span class="named"><small class="muted">{}</small> {}</span>', type_, shown)

    def render_result(self, record: AuditEvent) -> str:
        if record.result == AuditEvent.Result.SUCCEEDED:
            return muted("Succeeded")
        return markup('<span class="badge badge-failed">{}</span>', record.result)

    def render_details(self, record: AuditEvent) -> str:
        """Show the changes, or the reason of a denial."""
        text = "; ".join(describe_changes(record.action, record.changes))
        return markup(
            '<span class="clip event-details" title="{}{}">{}</span>',
            text, record.reason, text or record.reason or _EMPTY,
        )  # fmt: skip

    def render_source_ip(self, record: AuditEvent) -> str:
        return clip(_or_empty(record.source_ip))

    def render_subject_type(self, record: AuditEvent) -> str:
        return describe_subject_type(record.subject_type)

    def render_entity_id(self, record: AuditEvent) -> str:
        return _code(record.entity_id or _EMPTY)

    def render_request(self, record: AuditEvent) -> str:
        text = f"{record.http_method} {record.path}"
        shown = text if record.path else _EMPTY
        return markup('<code class="clip" title="{}">{}</code>', text, shown)

    def render_request_id(self, record: AuditEvent) -> str:
        return _code(_or_empty(record.request_id))


def _code(text: object) -> str:
    return markup('<code class="clip" title="{}">{}</code>', text, text)


def _or_empty(value: object) -> object:
    return _EMPTY if value is None else value
