"""Enabling and disabling applications."""

import uuid
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from accessrules.actions.rules import set_subjects_enabled
from accessrules.authorization.callers import Caller
from applications import policy
from applications.actions.changes import end_dormancy, end_tokens, entity_of
from applications.actions.locking import lock_all_for, lock_one_with_subject_for
from applications.models import Application
from runai_access.audit.recorder import record_all
from runai_access.errors import Conflict, Denied


@transaction.atomic
def set_application_enabled(
    *,
    caller: Caller,
    application_id: str | uuid.UUID,
    enabled: bool,
    trusts_old_secrets: bool = False,
) -> Application:
    """Enable or disable an application. Disabling revokes its tokens permanently.

    Raises NotFound, Denied (enabling requires every permission of the application), and Conflict if it
    is contained and secrets from before would work again, unless the caller trusts them. Trusting
    those of an administrator requires a recent sign-in.
    """
    application = lock_one_with_subject_for(caller, "update", application_id)
    if application.enabled != enabled:
        if enabled:
            _require_can_enable(caller, application, trusts_old_secrets=trusts_old_secrets)
        _set_enabled([application], caller, enabled=enabled)
    return application


@transaction.atomic
def set_applications_enabled(
    *, caller: Caller, applications: Collection[Application], enabled: bool
) -> dict[uuid.UUID, Denied | Conflict | None]:
    """Enable or disable visible applications in one transaction.

    Return the refusal of each application that still exists, or None if it succeeded. For the batch
    size, see `delete_applications`. Raises Denied without the permission to update applications.
    """
    policy.require(caller, "update")
    locked = lock_all_for(caller, "update", applications)
    to_change = [application for application in locked if application.enabled != enabled]
    refusals = {
        application.pk: _refusal_to_enable(caller, application) if enabled else None
        for application in to_change
    }
    allowed = [application for application in to_change if refusals[application.pk] is None]
    _set_enabled(allowed, caller, enabled=enabled)
    return {application.pk: refusals.get(application.pk) for application in locked}


def _require_can_enable(
    caller: Caller, application: Application, *, trusts_old_secrets: bool = False
) -> None:
    caller.authority.require_can_impersonate(application.subject)
    if not application.secrets_from_before_containment().exists():
        return
    if not trusts_old_secrets:
        raise Conflict(
            f"{application.name} is contained, and its client secrets from before would work again. "
            "Replace its secret and enable it, or confirm that none of them leaked.",
            field="contained",
        )
    caller.require_recent_authentication_for(application.subject)


def _refusal_to_enable(caller: Caller, application: Application) -> Denied | Conflict | None:
    try:
        _require_can_enable(caller, application)
    except (Denied, Conflict) as refusal:
        return refusal
    return None


def _set_enabled(applications: list[Application], caller: Caller, *, enabled: bool) -> None:
    set_subjects_enabled([application.subject for application in applications], enabled=enabled)
    now = timezone.now()
    changes_of: dict[Application, dict[str, list[Any]]] = {}
    for application in applications:
        application.updated_at = now
        changes_of[application] = {"enabled": [not enabled, enabled], **end_dormancy(application)}
        if not enabled:
            end_tokens(application)
            continue
        application.enabled_at = now
        if application.contained_at is not None:
            application.contained_at, application.contained_by = None, ""
            changes_of[application]["contained"] = [True, False]
    Application.objects.bulk_update(
        applications,
        [
            "credential_id",
            "contained_at",
            "contained_by",
            "updated_at",
            "enabled_at",
            "dormancy",
            "dormancy_since",
        ],
    )
    record_all(
        (("update", entity_of(one), changes) for one, changes in changes_of.items()),
        actor=caller.actor,
    )
