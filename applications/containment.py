"""Containment: what to do first when a client secret leaked, and how to recover.

A contained application is disabled, and enabling it must not let the leaked secret work again. Which
one leaked is often unknown, so all secrets from before count.
"""

import uuid
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from accessrules.actions.locking import lock_administration, lock_subject
from accessrules.authorization.callers import Caller
from applications import policy
from applications.actions.changes import end_dormancy, entity_of
from applications.actions.locking import lock_applications, lock_with_subjects
from applications.actions.new_secrets import HashedSecret, IssuedSecret
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled
from applications.models import Application
from runai_access.audit.recorder import record
from runai_access.errors import Conflict


@transaction.atomic
def contain_application(*, caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Disable an application, with its secrets and tokens, until its secrets are replaced.

    It keeps its access rules. If it is contained already, secrets that were added since count as
    leaked, too. Raises NotFound, Denied.
    """
    visible = policy.one_for(caller, "update", application_id)
    is_contained = any(one.is_safely_contained() for one in lock_with_subjects([visible.pk]))
    application = set_application_enabled(
        caller=caller, application_id=application_id, enabled=False
    )
    changes = end_dormancy(application)
    if not is_contained:
        changes |= _contain(application, caller)
    if changes:
        application.updated_at = timezone.now()
        application.save(
            update_fields=[
                "contained_at", "contained_by", "dormancy", "dormancy_since", "updated_at",
            ]
        )  # fmt: skip
        record("update", entity_of(application), actor=caller.actor, changes=changes)
    return application


def _contain(application: Application, caller: Caller) -> dict[str, list[Any]]:
    """Mark an application as contained now, once it is saved; return the changes."""
    before, now = application.contained_at, timezone.now()
    application.contained_at, application.contained_by = now, caller.name
    if before is None:
        return {"contained": [False, True]}
    return {"containedAt": [before.isoformat(), now.isoformat()]}


def replace_secret_and_enable(
    *,
    caller: Caller,
    application_id: str | uuid.UUID,
    submission: uuid.UUID | None = None,
    secret: HashedSecret | None = None,
) -> IssuedSecret:
    """Replace all client secrets of a contained application with one, and enable it.

    Raises like `regenerate_secret` and `set_application_enabled`, and Conflict if it is not contained.
    """
    visible = policy.one_for(caller, "update", application_id)
    secret = secret or HashedSecret.new()
    with transaction.atomic():
        # Enabling locks in this order, but regenerating locks only the application.
        lock_administration()
        lock_subject(visible.subject)
        (application,) = lock_applications([visible.pk])
        is_repeated = submission is not None and application.submission == submission
        if application.contained_at is None and not is_repeated:
            raise Conflict(f"{application.name} is not contained.")
        issued = regenerate_secret(
            caller=caller, application_id=application_id, submission=submission, secret=secret
        )
        enabled = set_application_enabled(
            caller=caller, application_id=application_id, enabled=True
        )
    return replace(issued, application=enabled)
