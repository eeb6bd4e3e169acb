"""Locks on applications. An action checks the caller's permission once it holds them."""

import uuid
from collections.abc import Collection

from accessrules.actions.locking import lock_administration
from accessrules.authorization.callers import Caller
from accessrules.models import Subject
from applications import policy
from applications.models import Application
from runai_access.errors import NotFound


def lock_one_for(caller: Caller, action: str, application_id: str | uuid.UUID) -> Application:
    """Return the application to perform `action` on, locked for update."""
    application = _first(lock_applications([policy.one_for(caller, action, application_id).pk]))
    policy.require(caller.refresh_authority(), action)
    return application


def lock_one_to_manage_secrets(caller: Caller, application_id: str | uuid.UUID) -> Application:
    """Return the application whose secrets to add, regenerate or revoke, locked for update."""
    application = _first(
        lock_applications([policy.one_to_manage_secrets(caller, application_id).pk])
    )
    policy.require_can_manage_secrets(caller.refresh_authority(), application)
    return application


def lock_one_with_subject_for(
    caller: Caller, action: str, application_id: str | uuid.UUID
) -> Application:
    """Return the application, locked with its subject: for actions that change both."""
    visible = policy.one_for(caller, action, application_id)
    return _first(lock_all_for(caller, action, [visible]))


def lock_all_for(
    caller: Caller, action: str, visible: Collection[Application]
) -> list[Application]:
    """Lock those of `visible` that still exist, and their subjects; return them. Raises Denied."""
    applications = lock_with_subjects([application.pk for application in visible])
    policy.require(caller.refresh_authority(), action)
    return applications


def lock_with_subjects(keys: list[uuid.UUID]) -> list[Application]:
    """Lock and re-read the applications that still exist, and their subjects.

    Lock order: the account, a scope, subjects, applications. Creating or deleting a rule locks the
    application last, because a trigger stores its first rule there.
    """
    lock_administration()
    # No key changes: the check of a foreign key, at the end of another transaction, need not wait.
    list(Subject.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    return lock_applications(keys)


def lock_applications(keys: list[uuid.UUID]) -> list[Application]:
    """Lock and re-read the applications that still exist."""
    return list(
        Application.objects.select_related("subject")
        .select_for_update(of=("self",))
        .filter(pk__in=keys, subject__retired_at=None)
        .order_by("pk")
    )


def _first(found: list[Application]) -> Application:
    if not found:
        raise NotFound("Resource id not found.")
    return found[0]
