"""Helpers for tests of the Activity page."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse

from runai_access.audit.models import AuditEvent
from tests.web.conftest import column

LIST = "/activity/"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def happened(name: str = "ci", minutes: int = 0, **fields: Any) -> AuditEvent:
    """Create an event of this entity, `minutes` after noon."""
    known: dict[str, Any] = {
        "subject_type": "user",
        "subject_name": "rosa@acme.example",
        "action": "update",
        "entity_type": "application",
        "entity_id": str(uuid.UUID(int=7)),
        "entity_name": name,
        "result": "Succeeded",
        "source_ip": "192.0.2.1",
    }
    known["time"] = NOON + timedelta(minutes=minutes)
    return AuditEvent.objects.create(**known | fields)


def names(response: HttpResponse) -> list[str]:
    """Return the entity names of the rows."""
    return [cell.partition(" ")[2] for cell in column(response, "entity")]
