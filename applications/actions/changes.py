"""What actions share: saving an application, ending its tokens, and naming it in the audit log."""

import uuid
from typing import Any

from django.utils import timezone

from applications.models import Application
from runai_access.audit.recorder import Entity


def save(application: Application, *fields: str) -> None:
    """Save these fields of an application, and when it was updated."""
    application.updated_at = timezone.now()
    application.save(update_fields=[*fields, "updated_at"])


def end_tokens(application: Application) -> None:
    """Revoke all tokens of an application once it is saved."""
    application.credential_id = uuid.uuid4()


def end_dormancy(application: Application) -> dict[str, list[Any]]:
    """Undo what the dormancy policy did, once the application is saved; return the changes."""
    before = application.dormancy
    application.dormancy = application.dormancy_since = None
    return {"dormancy": [before, None]} if before else {}


def entity_of(application: Application) -> Entity:
    """Return an application as the audit log names it."""
    return Entity("application", str(application.pk), application.name)
