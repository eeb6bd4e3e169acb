"""Enabling and disabling applications."""

import uuid
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from accessrules.actions.subjects import set_subjects_enabled
from accessrules.authorization.callers import Caller
from accessrules.authorization.grants import Grant, grants_held_by
from applications import policy
from applications.actions.changes import end_dormancy, end_tokens, entity_of
from applications.actions.locking import lock_all_for, lock_one_with_subject_for
from applications.models import Application
from runai_access.audit.recorder import record_all
from runai_access.errors import Conflict, Refusal


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
) -> dict[uuid.UUID, Refusal | None]:
    """Enable or disable visible applications in one transaction.

    Return the refusal of each application that still exists, or None if it succeeded. For the batch
    size, see `delete_applications`. Raises Denied without the permission to update applications.
    """
    policy.require(caller, "update")
    locked = lock_all_for(caller, "update", applications)
    to_change = [application for application in locked if application.enabled != enabled]
    refusals = _refusals_to_enable(caller, to_change) if enabled else {}
    allowed = [application for application in to_change if application.pk not in refusals]
    _set_enabled(allowed, caller, enabled=enabled)
    return {application.pk: refusals.get(application.pk) for application in locked}


def _require_can_enable(
    caller: Caller,
    application: Application,
    grants: list[Grant] | None = None,
    *,
    trusts_old_secrets: bool = False,
) -> None:
    caller.authority.require_can_impersonate(application.subject, grants)
    if not application.secrets_from_before_containment().exists():
        return
    if not trusts_old_secrets:
        raise Conflict(
            f"{application.name} is contained, and its client secrets from before would work again. "
            "Replace its secret and enable it, or confirm that none of them leaked.",
            field="contained",
        )
    caller.require_recent_authentication_for(application.subject)


def _refusals_to_enable(
    caller: Caller, applications: list[Application]
) -> dict[uuid.UUID, Refusal]:
    """Return the refusals of the applications that the caller can't enable."""
    held = grants_held_by(application.subject for application in applications)
    refusals: dict[uuid.UUID, Refusal] = {}
    for application in applications:
        try:
            _require_can_enable(caller, application, held[application.pk])
        except Refusal as refusal:
            refusals[application.pk] = refusal
    return refusals


def _set_enabled(applications: list[Application], caller: Caller, *, enabled: bool) -> None:
    set_subjects_enabled([application.subject for application in applications], enabled=enabled)
    now = timezone.now()
    values: dict[str, Any] = {"updated_at": now, "dormancy": None, "dormancy_since": None}
    if enabled:
        values |= {"enabled_at": now, "contained_at": None, "contained_by": ""}
    changes_of: dict[Application, dict[str, list[Any]]] = {}
    for application in applications:
        changes_of[application] = {"enabled": [not enabled, enabled], **end_dormancy(application)}
        if enabled and application.contained_at is not None:
            changes_of[application]["contained"] = [True, False]
        for field, value in values.items():
            setattr(application, field, value)
        if not enabled:
            end_tokens(application)
    keys = [application.pk for application in applications]
    Application.objects.filter(pk__in=keys).update(**values)
    if not enabled:
        Application.objects.bulk_update(applications, ["credential_id"])
    record_all(
        (("update", entity_of(one), changes) for one, changes in changes_of.items()),
        actor=caller.actor,
    )
