"""How the record reads on a page."""

from django import template

from runai_access.activity import words
from runai_access.audit.models import AuditEvent
from runai_access.lists.listing import Listing

register = template.Library()

register.filter("action_words", words.action_words)
register.filter("type_words", words.type_words)
register.filter("subject_type_words", words.subject_type_words)
register.filter("name_without_type", words.name_without_type)
register.filter("has_history", words.has_history)

# What somebody does to nobody else.
SELF = ("sign-in", "sign-out")


@register.filter
def sentence(event: AuditEvent) -> str:
    """Return what the event's subject did: "created access rule ci is Viewer in cluster A"."""
    deed = words.deed_words(event.action, succeeded=event.result == AuditEvent.Result.SUCCEEDED)
    if event.action in SELF and event.entity_name == event.subject_name:
        return deed
    return f"{deed} {words.entity_words(event.entity_type, event.entity_name)}"


@register.filter
def differences(event: AuditEvent) -> list[str]:
    """Return what is different since the event; a thing that was made or deleted has its name."""
    is_change = event.action not in ("create", "delete")
    return words.change_texts(event.action, event.changes) if is_change else []


@register.simple_tag
def further_back_url(listing: Listing) -> str:
    """Return the address of the same view, from where the look back ended."""
    time = listing.source.context.back_to.replace(tzinfo=None)
    return listing.url(time__until=time.isoformat())
