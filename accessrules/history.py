"""The last things in the record that concern a subject, for its own page."""

from django.db.models import Q

from accessrules.callers import Caller
from accessrules.models import AccessRule, Subject
from runai_access.audit.models import AuditEvent
from runai_access.errors import Denied

EVENTS = 10
_RULES_LOOKED_AT = 500


def sees_activity(caller: Caller) -> bool:
    """Return whether the caller may read the record: administrators may, as in the API."""
    try:
        caller.authority.require_administrator()
    except Denied:
        return False
    return True


def last_events(subject: Subject, entity_type: str) -> list[AuditEvent]:
    """Return the last events on it, by it, and on its rules: each found by an index of its own."""
    rules = AccessRule.objects.filter(subject=subject).order_by("-pk")
    rule_ids = [str(pk) for pk in rules.values_list("pk", flat=True)[:_RULES_LOOKED_AT]]
    found = [
        AuditEvent.objects.filter(condition).order_by("-time", "-pk")[:EVENTS]
        for condition in (
            Q(entity_type=entity_type, entity_id=str(subject.pk)),
            Q(entity_type="access_rule", entity_id__in=rule_ids),
            Q(subject_id=subject.pk),
        )
    ]
    events = {event.pk: event for part in found for event in part}.values()
    return sorted(events, key=lambda event: (event.time, event.pk), reverse=True)[:EVENTS]
