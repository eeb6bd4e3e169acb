"""How the record reads on a page."""

from typing import Any

from django import template

from runai_access.activity import words
from runai_access.audit.models import AuditEvent
from runai_access.ui.listing import Listing

register = template.Library()

register.filter("action_words", words.action_words)
register.filter("type_words", words.type_words)

# What somebody does to nobody else.
SELF = ("sign-in", "sign-out")
SUBJECT_TYPES = {"app": "application"}
# What has pages, scopes, or rules of its own is worth a look at its history.
WITHOUT_HISTORY = ("request", "audit", "")


@register.filter
def change_texts(event: AuditEvent) -> list[str]:
    """Return what an event changed, one text for each field."""
    return words.change_texts(event.changes)


@register.filter
def sentence(event: AuditEvent) -> str:
    """Return what the event's subject did: "created access rule ci is Viewer in cluster A"."""
    deed = words.deed_words(event.action, succeeded=event.result == AuditEvent.Result.SUCCEEDED)
    if event.action in SELF and event.entity_name == event.subject_name:
        return deed
    return f"{deed} {words.entity_words(event.entity_type, event.entity_name)}"


@register.filter
def subject_type_words(type_: str) -> str:
    """Return the type of a subject as a person reads it."""
    return SUBJECT_TYPES.get(type_, type_)


@register.filter
def name_without_type(event: AuditEvent) -> str:
    """Return the name of an event's entity without its type, which scopes have in theirs."""
    return event.entity_name.removeprefix(f"{words.type_words(event.entity_type)} ")


@register.filter
def has_history(event: AuditEvent) -> Any:
    """Return whether the event's entity can be asked for its history."""
    return event.entity_id and event.entity_type not in WITHOUT_HISTORY


@register.simple_tag
def further_back_url(listing: Listing) -> str:
    """Return the address of the same view, from where the look back ended."""
    time = listing.source.context.back_to.replace(tzinfo=None)
    return listing.url(time__until=time.isoformat())
