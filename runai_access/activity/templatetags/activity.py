"""How the record reads on a page."""

from django import template

from runai_access.activity import descriptions
from runai_access.audit.models import AuditEvent
from runai_access.lists.listing import Listing

register = template.Library()

register.filter("describe_action", descriptions.describe_action)
register.filter("describe_type", descriptions.describe_type)
register.filter("describe_subject_type", descriptions.describe_subject_type)
register.filter("name_without_type", descriptions.name_without_type)
register.filter("has_history", descriptions.has_history)

# What somebody does to nobody else.
SELF = ("sign-in", "sign-out")


@register.filter
def sentence(event: AuditEvent) -> str:
    """Return what the event's subject did: "created access rule ci is Viewer in cluster A"."""
    deed = descriptions.describe_deed(
        event.action, succeeded=event.result == AuditEvent.Result.SUCCEEDED
    )
    if event.action in SELF and event.entity_name == event.subject_name:
        return deed
    return f"{deed} {descriptions.describe_entity(event.entity_type, event.entity_name)}"


@register.filter
def differences(event: AuditEvent) -> list[str]:
    """Return what is different since the event; a thing that was made or deleted has its name."""
    is_change = event.action not in ("create", "delete")
    return descriptions.describe_changes(event.action, event.changes) if is_change else []


@register.simple_tag
def further_back_url(listing: Listing) -> str:
    """Return the address of the same view, from where the look back ended."""
    time = listing.source.context.back_to.replace(tzinfo=None)
    return listing.url(time__until=time.isoformat())
