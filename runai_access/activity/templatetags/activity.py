"""Template tags for audit events."""

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

# Actions of subjects on themselves.
SELF_ACTIONS = ("sign-in", "sign-out")


@register.filter
def sentence(event: AuditEvent) -> str:
    """Return the event as a predicate: "created access rule ci is Viewer in cluster A"."""
    predicate = descriptions.describe_predicate(
        event.action, succeeded=event.result == AuditEvent.Result.SUCCEEDED
    )
    if event.action in SELF_ACTIONS and event.entity_name == event.subject_name:
        return predicate
    return f"{predicate} {descriptions.describe_entity(event.entity_type, event.entity_name)}"


@register.filter
def differences(event: AuditEvent) -> list[str]:
    """Return the changes of an update; creations and deletions have none besides the name."""
    is_change = event.action not in ("create", "delete")
    return descriptions.describe_changes(event.action, event.changes) if is_change else []


@register.simple_tag
def further_back_url(listing: Listing) -> str:
    """Return the URL that continues a limited search with older events."""
    time = listing.source.context.back_to.replace(tzinfo=None)
    return listing.url(time__until=time.isoformat())
