"""Texts for audit events: their actions, entities and changes."""

from typing import Any

from runai_access.audit.models import AuditEvent

# Entity types without a history page.
_WITHOUT_HISTORY = ("request", "audit", "signing_key", "secret_key", "database", "")
_SUBJECT_TYPES = {"app": "application"}
_TYPES = {"tenant": "account", "access_rule": "access rule", "audit": "audit log"}
# The words of the pages where they differ from those of the API.
_LABELS = {"read": "View", "update": "Edit"}
_PAST_TENSE = {
    "create": "created",
    "read": "viewed",
    "update": "changed",
    "delete": "deleted",
    "sign-in": "signed in",
    "sign-out": "signed out",
    "reset-password": "reset the password of",
    "backup": "backed up",
    "restore": "restored",
}
_MAX_VALUE_LENGTH = 80


def describe_action(action: str) -> str:
    """Return the label of an action, for example "Reset password"."""
    return _LABELS.get(action) or action.replace("-", " ").replace("_", " ").capitalize()


def describe_predicate(action: str, *, succeeded: bool) -> str:
    """Return the predicate of a sentence about an event: "created", or "tried to create"."""
    if not succeeded:
        return f"tried to {describe_action(action).lower()}"
    return _PAST_TENSE.get(action, describe_action(action).lower())


def describe_type(entity_type: str) -> str:
    """Return the label of an entity type, for example "access rule"."""
    return _TYPES.get(entity_type, entity_type.replace("_", " "))


def describe_entity(entity_type: str, entity_name: str) -> str:
    """Return an entity with its type: "application ci-prod". Scope names already include it."""
    type_ = describe_type(entity_type)
    return entity_name if entity_name.startswith(f"{type_} ") else f"{type_} {entity_name}".strip()


def name_without_type(event: AuditEvent) -> str:
    """Return the name of an event's entity without its type, which scope names include."""
    return event.entity_name.removeprefix(f"{describe_type(event.entity_type)} ")


def describe_subject_type(type_: str) -> str:
    """Return the label of a subject type."""
    return _SUBJECT_TYPES.get(type_, type_)


def has_history(event: AuditEvent) -> bool:
    """Return whether the event's entity has a history page."""
    return bool(event.entity_id) and event.entity_type not in _WITHOUT_HISTORY


def describe_field(name: str) -> str:
    """Return the label of a field: "client secret" for clientSecret."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return spaced.replace("_", " ").strip()


def describe_value(value: Any) -> str:
    """Return a value as text; empty values are "none"."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def describe_changes(action: str, changes: dict[str, list[Any]]) -> list[str]:
    """Return the changes as texts, "enabled: yes → no". For creations and deletions, only values."""
    texts = []
    for name, pair in changes.items():
        values = pair if action == "update" else [value for value in pair if value is not None]
        shown = " → ".join(_short(describe_value(value)) for value in values)
        texts.append(f"{describe_field(name)}: {shown or 'none'}")
    return texts


def document_of(event: AuditEvent) -> dict[str, Any]:
    """Return an event with all details, for JSON exports."""
    return {
        "id": event.pk,
        "time": event.time,
        "subject": {
            "type": event.subject_type, "id": event.subject_id, "name": event.subject_name,
        },
        "action": event.action,
        "entity": {
            "type": event.entity_type, "id": event.entity_id, "name": event.entity_name,
        },
        "result": event.result,
        "reason": event.reason,
        "changes": event.changes,
        "source_ip": event.source_ip,
        "http_method": event.http_method,
        "path": event.path,
        "request_id": event.request_id,
    }  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[:_MAX_VALUE_LENGTH]}…"
