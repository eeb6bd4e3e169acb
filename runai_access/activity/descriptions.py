"""How the record reads: its actions, entities and changes in words."""

from typing import Any

from runai_access.audit.models import AuditEvent

# What has pages, scopes, or rules of its own is worth a look at its history.
_WITHOUT_HISTORY = ("request", "audit", "signing_key", "")
_SUBJECT_TYPES = {"app": "application"}
_TYPES = {"tenant": "account", "access_rule": "access rule", "audit": "record"}
_DONE = {
    "create": "created",
    "read": "read",
    "update": "changed",
    "delete": "deleted",
    "sign-in": "signed in",
    "sign-out": "signed out",
    "reset-password": "reset the password of",
}
_MAX_VALUE_LENGTH = 80


def describe_action(action: str) -> str:
    """Return an action as a person reads it: "Reset password"."""
    return action.replace("-", " ").replace("_", " ").capitalize()


def describe_deed(action: str, *, succeeded: bool) -> str:
    """Return what a subject did, or tried, after its name: "created", "tried to create"."""
    if not succeeded:
        return f"tried to {describe_action(action).lower()}"
    return _DONE.get(action, describe_action(action).lower())


def describe_type(entity_type: str) -> str:
    """Return the type of an entity as a person reads it: "access rule"."""
    return _TYPES.get(entity_type, entity_type.replace("_", " "))


def describe_entity(entity_type: str, entity_name: str) -> str:
    """Return an entity with its type: "application ci-prod"; names of scopes have it already."""
    type_ = describe_type(entity_type)
    return entity_name if entity_name.startswith(f"{type_} ") else f"{type_} {entity_name}".strip()


def name_without_type(event: AuditEvent) -> str:
    """Return the name of an event's entity without its type, which scopes have in theirs."""
    return event.entity_name.removeprefix(f"{describe_type(event.entity_type)} ")


def describe_subject_type(type_: str) -> str:
    """Return the type of a subject as a person reads it."""
    return _SUBJECT_TYPES.get(type_, type_)


def has_history(event: AuditEvent) -> bool:
    """Return whether the event's entity can be asked for its history."""
    return bool(event.entity_id) and event.entity_type not in _WITHOUT_HISTORY


def describe_field(name: str) -> str:
    """Return the name of a field as a person reads it: "client secret" for clientSecret."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return spaced.replace("_", " ").strip()


def describe_value(value: Any) -> str:
    """Return a value as a person reads it; nothing is "none"."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def describe_changes(action: str, changes: dict[str, list[Any]]) -> list[str]:
    """Return what an action changed: "enabled: yes → no"; only the values of what is new or gone."""
    texts = []
    for name, pair in changes.items():
        told = pair if action == "update" else [value for value in pair if value is not None]
        shown = " → ".join(_short(describe_value(value)) for value in told)
        texts.append(f"{describe_field(name)}: {shown or 'none'}")
    return texts


def document_of(event: AuditEvent) -> dict[str, Any]:
    """Return an event with every detail, as a JSON file has it."""
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
