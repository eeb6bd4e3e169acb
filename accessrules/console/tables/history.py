"""What the record says of one thing: what was done to it, what it did, and what became of its rules."""

from uuid import UUID

from django.db.models import Q

from accessrules.authorization.callers import Caller
from accessrules.models import AccessRule, Scope, Subject
from runai_access.audit.models import AuditEvent

EVENTS = 10
SUBJECTS = ("application", "user", "group")
_MAX_RULES_SCANNED = 500
_MAX_EVENTS_SCANNED = 2 * _MAX_RULES_SCANNED  # one when it was made, one when it was deleted


def sees_activity(caller: Caller) -> bool:
    """Return whether the caller can read the audit log."""
    return caller.authority.reads_audit_log


def history_of(entity_type: str, id_: str, name: str | None = None) -> list[Q]:
    """Return the parts of a thing's history, each of which an index finds by time.

    `name` is a subject's, where that is known.

    What was done to it; if it is a subject, what it did, and who failed to sign in under its name;
    and what became of the newest of its access rules, be it their subject or their scope.
    """
    parts = [Q(entity_type=entity_type, entity_id=id_)]
    if entity_type == "access_rule":
        return parts
    if entity_type in SUBJECTS:
        parts.append(Q(subject_id=id_))
        rules = AccessRule.objects.filter(subject=UUID(id_))
        names = Subject.objects.filter(pk=id_).values_list("name", flat=True)
        if name := name or names.first():
            parts.append(Q(entity_name=name, entity_type=entity_type, entity_id=""))
    else:
        rules = AccessRule.objects.filter(scope__type=entity_type, scope__uid=id_)
    ids = rules.order_by("-pk").values_list("pk", flat=True)[:_MAX_RULES_SCANNED]
    if found := [str(pk) for pk in ids]:
        # Found first, as SQLite would rather walk through the events of every rule, by time.
        events = AuditEvent.objects.filter(entity_type="access_rule", entity_id__in=found)
        parts.append(Q(pk__in=list(events.values_list("pk", flat=True)[:_MAX_EVENTS_SCANNED])))
    return parts


def last_events(subject: Subject, entity_type: str) -> list[AuditEvent]:
    """Return the last events of a subject's history."""
    found = [
        AuditEvent.objects.filter(part).order_by("-time", "-pk")[:EVENTS]
        for part in history_of(entity_type, str(subject.pk), subject.name)
    ]
    events = {event.pk: event for part in found for event in part}.values()
    return sorted(events, key=lambda event: (event.time, event.pk), reverse=True)[:EVENTS]


def label_of(entity_type: str, id_: str) -> str:
    """Return a thing that is there as the record would name it, or nothing."""
    if entity_type in SUBJECTS:
        return Subject.objects.filter(pk=id_).values_list("name", flat=True).first() or ""
    if entity_type == "access_rule":
        rules = AccessRule.objects.select_related("subject", "role", "scope")
        return str(rules.filter(pk=id_).first() or "") if id_.isdecimal() and len(id_) < 19 else ""
    scope = Scope.objects.filter(type=entity_type, uid=id_).first()
    return scope.label if scope else ""
