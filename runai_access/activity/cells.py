"""The cells of the Activity table."""

from typing import TYPE_CHECKING

from runai_access.activity.words import (
    action_words,
    change_texts,
    has_history,
    name_without_type,
    subject_type_words,
    type_words,
)
from runai_access.audit.models import AuditEvent
from runai_access.lists.markup import clip, marked, markup, moment, quiet
from runai_access.row_urls import history_url
from runai_access.ui.dialogs import dialog_url

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
        ' <small class="quiet">{}</small>', subject_type_words(event.subject_type)
    )


def action(event: AuditEvent, _: object) -> str:
    """What was done."""
    return action_words(event.action)


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
    return markup('<small class="quiet">{}</small>\n{}', type_words(event.entity_type), shown)


def result(event: AuditEvent, _: object) -> str:
    """How it ended."""
    if event.result == AuditEvent.Result.SUCCEEDED:
        return quiet("Succeeded")
    return markup('<span class="badge badge-failed">{}</span>', event.result)


def details(event: AuditEvent, _: object) -> str:
    """What changed, or why it was refused."""
    text = "; ".join(change_texts(event.action, event.changes))
    return markup(
        '<span class="event-details" title="{}{}">{}</span>',
        text, event.reason, text or event.reason or _NOTHING,
    )  # fmt: skip


def source_ip(event: AuditEvent, _: object) -> str:
    """From where."""
    return markup('<span class="clip">{}</span>', _or_nothing(event.source_ip))


def subject_type(event: AuditEvent, _: object) -> str:
    """What the subject is."""
    return subject_type_words(event.subject_type)


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
