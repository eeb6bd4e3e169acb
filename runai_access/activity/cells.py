"""The cells of the Activity table."""

from typing import TYPE_CHECKING

from runai_access.activity.descriptions import (
    describe_action,
    describe_changes,
    describe_subject_type,
    describe_type,
    has_history,
    name_without_type,
)
from runai_access.audit.models import AuditEvent
from runai_access.ui.addresses import dialog_url, history_url
from runai_access.ui.markup import clip, marked, markup, moment, muted

if TYPE_CHECKING:
    from runai_access.activity.tables import EventTable

_NOTHING = "—"


def time(event: AuditEvent, table: "EventTable") -> str:
    """When, which opens the event."""
    return markup(
        '<a class="row-name" id="event-{}" href="{}" hx-boost="true" hx-target="#dialog"'
        ' hx-swap="innerHTML" hx-indicator="#loading">{}</a>',
        event.pk, dialog_url("activity:event", event.pk, back=table.address),
        moment(event.time, seconds=True, in_column=True),
    )  # fmt: skip


def subject(event: AuditEvent, table: "EventTable") -> str:
    """Who did it."""
    shown = clip(event.subject_name, table.search)
    if event.subject_type in ("user", event.subject_name):
        return shown
    return shown + markup(
        ' <small class="muted">{}</small>', describe_subject_type(event.subject_type)
    )


def action(event: AuditEvent, _: object) -> str:
    """What was done."""
    return describe_action(event.action)


def entity(event: AuditEvent, table: "EventTable") -> str:
    """What it was done to, which opens its history."""
    name = marked(name_without_type(event), table.search)
    if has_history(event):
        shown = markup(
            '<a class="clip row-name" href="{}" title="{}">{}</a>',
            history_url(event.entity_type, event.entity_id), event.entity_name, name,
        )  # fmt: skip
    else:
        shown = markup('<span class="clip" title="{}">{}</span>', event.entity_name, name)
    return markup('<small class="muted">{}</small>\n{}', describe_type(event.entity_type), shown)


def result(event: AuditEvent, _: object) -> str:
    """How it ended."""
    if event.result == AuditEvent.Result.SUCCEEDED:
        return muted("Succeeded")
    return markup('<span class="badge badge-failed">{}</span>', event.result)


def details(event: AuditEvent, _: object) -> str:
    """What changed, or why it was refused."""
    text = "; ".join(describe_changes(event.action, event.changes))
    return markup(
        '<span class="event-details" title="{}{}">{}</span>',
        text, event.reason, text or event.reason or _NOTHING,
    )  # fmt: skip


def source_ip(event: AuditEvent, _: object) -> str:
    """From where."""
    return markup('<span class="clip">{}</span>', _or_nothing(event.source_ip))


def subject_type(event: AuditEvent, _: object) -> str:
    """What the subject is."""
    return describe_subject_type(event.subject_type)


def entity_id(event: AuditEvent, _: object) -> str:
    """The id of the entity."""
    return markup('<code class="clip">{}</code>', event.entity_id or _NOTHING)


def request(event: AuditEvent, _: object) -> str:
    """The request that did it."""
    text = f"{event.http_method} {event.path}"
    shown = text if event.path else _NOTHING
    return markup('<code class="clip" title="{}">{}</code>', text, shown)


def request_id(event: AuditEvent, _: object) -> str:
    """The id of the request, which its answer had as X-Request-Id."""
    return markup('<code class="clip">{}</code>', _or_nothing(event.request_id))


def _or_nothing(value: object) -> object:
    return _NOTHING if value is None else value
