"""Containment: what to do first when a client secret leaked, and how to recover.

A contained application is disabled, and enabling it must not let the leaked secret work again. Which
one leaked is often unknown, so all secrets from before count.
"""

import uuid
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from accessrules.actions.rules import lock_administration, lock_subject
from accessrules.authorization.callers import Caller
from applications import policy
from applications.actions import (
    HashedSecret,
    IssuedSecret,
    entity_of,
    lock_applications,
    regenerate_secret,
    set_application_enabled,
)
from applications.models import Application
from runai_access.audit.recorder import record
from runai_access.errors import Conflict


@transaction.atomic
def contain_application(*, caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Disable an application, with its secrets and tokens, until its secrets are replaced.

    It keeps its access rules. A contained application stays as it is. Raises NotFound, Denied.
    """
    application = set_application_enabled(
        caller=caller, application_id=application_id, enabled=False
    )
    if application.contained_at is None:
        application.contained_at = application.updated_at = timezone.now()
        application.contained_by = caller.name
        application.save(update_fields=["contained_at", "contained_by", "updated_at"])
        record(
            "update",
            entity_of(application),
            actor=caller.actor,
            changes={"contained": [False, True]},
        )
    return application


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
