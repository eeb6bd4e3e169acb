"""The lifetime of an application's tokens."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accessrules.authorization.callers import Caller
from applications.actions.changes import entity_of, save
from applications.actions.locking import lock_one_for
from applications.models import Application
from applications.validators import MIN_TOKEN_LIFETIME
from runai_access.audit.recorder import record


@transaction.atomic
def set_token_lifetime(
    *, caller: Caller, application_id: str | uuid.UUID, seconds: int | None
) -> Application:
    """Set the lifetime of an application's new tokens; None means the installation's setting.

    Raises NotFound, Denied, ValidationError for a lifetime outside the allowed range.
    """
    application = lock_one_for(caller, "update", application_id)
    max_lifetime = settings.TOKEN_LIFETIME_MAX_SECONDS
    if seconds is not None and not MIN_TOKEN_LIFETIME <= seconds <= max_lifetime:
        raise ValidationError(
            {
                "tokenLifetime": f"Must be {MIN_TOKEN_LIFETIME} to {max_lifetime} seconds, "
                "or null for the installation's setting."
            }
        )
    before = application.token_lifetime
    if before != seconds:
        application.token_lifetime = seconds
        save(application, "token_lifetime")
        record(
            "update",
            entity_of(application),
            actor=caller.actor,
            changes={"tokenLifetime": [before, seconds]},
        )
    return application
