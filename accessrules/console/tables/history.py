"""History of an object: audit events about it, caused by it, and about its access rules."""

from uuid import UUID

from django.db.models import Q

from accessrules.models import AccessRule, Scope, Subject
from runai_access.audit.models import AuditEvent, is_known_by_name

EVENTS = 10
SUBJECTS = ("application", "user", "group")
_MAX_RULES_SCANNED = 500
_MAX_EVENTS_SCANNED = 2 * _MAX_RULES_SCANNED  # a rule has two events: created and deleted


def history_of(entity_type: str, id_: str, name: str | None = None) -> list[Q]:
    """Return the conditions whose union is the history of an object. An index serves each by time.

    The history has the events about the object and about its newest access rules. A subject's also has
    the events that it caused and the failed sign-ins under its name. `name` saves a query for it.
    """
    parts = [Q(entity_type=entity_type, entity_id=id_)]
    if entity_type == "access_rule":
        return parts
    if entity_type in SUBJECTS:
        parts.append(Q(subject_id=id_))
        rules = AccessRule.objects.filter(subject=UUID(id_))
        names = Subject.objects.filter(pk=id_).values_list("name", flat=True)
        if name := name or names.first():
            parts.append(is_known_by_name(entity_type, name))
    else:
        rules = AccessRule.objects.filter(scope__type=entity_type, scope__uid=id_)
    ids = rules.order_by("-pk").values_list("pk", flat=True)[:_MAX_RULES_SCANNED]
    if found := [str(pk) for pk in ids]:
        # A separate query, because SQLite would scan the events of all access rules by time.
        events = AuditEvent.objects.filter(entity_type="access_rule", entity_id__in=found)
        parts.append(Q(pk__in=list(events.values_list("pk", flat=True)[:_MAX_EVENTS_SCANNED])))
    return parts


def last_events(subject: Subject, entity_type: str) -> list[AuditEvent]:
    """Return the newest events of a subject's history."""
    found = [
        AuditEvent.objects.filter(part).order_by("-time", "-pk")[:EVENTS]
        for part in history_of(entity_type, str(subject.pk), subject.name)
    ]
    events = {event.pk: event for part in found for event in part}.values()
    return sorted(events, key=lambda event: (event.time, event.pk), reverse=True)[:EVENTS]


def label_of(entity_type: str, id_: str) -> str:
    """Return the name of an object as the audit log shows it; "" if it does not exist."""
    if entity_type in SUBJECTS:
        return Subject.objects.filter(pk=id_).values_list("name", flat=True).first() or ""
    if entity_type == "access_rule":
        rules = AccessRule.objects.select_related("subject", "role", "scope")
        return str(rules.filter(pk=id_).first() or "") if id_.isdecimal() and len(id_) < 19 else ""
    scope = Scope.objects.filter(type=entity_type, uid=id_).first()
    return scope.label if scope else ""
