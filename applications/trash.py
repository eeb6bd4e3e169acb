"""Deleted applications: which of their access rules can be restored, and restoring one."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accessrules.actions.locking import lock_administration, lock_scopes
from accessrules.actions.rules import NewRule, restore_access_rules
from accessrules.actions.subjects import restore_subject
from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import Caller
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.models import Role, Scope
from applications import policy
from applications.actions.changes import entity_of
from applications.models import (
    KEPT_FIELDS,
    Application,
    DeletedApplication,
    DeletedRule,
    searched_details_of,
)
from runai_access.audit.recorder import record


class RestoredGrant(NamedTuple):
    """What an access rule of a restored application grants, and until when."""

    role: Role
    scope: Scope
    expires_at: datetime | None


@dataclass(frozen=True)
class Restoration:
    """The access rules of a deleted application: those to restore, and those that are lost.

    A rule is lost if its role or scope no longer exists, or if it has expired.
    """

    grants: list[RestoredGrant]
    lost_rules: list[DeletedRule]

    def visible_lost_rules(self, authority: Authority) -> list[DeletedRule]:
        """Return the lost rules for a caller who sees all rules; for others, none."""
        return self.lost_rules if sees_all_rules(authority) else []


@dataclass(frozen=True)
class RestoredApplication:
    """A restored application, and how its access rules were restored."""

    application: Application
    restoration: Restoration


def restoration_of(deleted: DeletedApplication) -> Restoration:
    """Return what restoring `deleted` does to its access rules."""
    keys = {rule.scope_id for rule in deleted.deleted_rules}
    return _restoration(deleted, Scope.objects.in_bulk(keys))


@transaction.atomic
def restore_application(*, caller: Caller, application_id: str | uuid.UUID) -> RestoredApplication:
    """Restore a deleted application with its access rules and group memberships.

    Its client secrets and tokens stay invalid. Raises NotFound, Conflict if its name was taken, Denied
    without the permission to create applications or one that the application has again, and
    ReauthenticationRequired if it has an administrator role again.
    """
    policy.require(caller, "create")
    lock_administration()  # as deleting does
    deleted = policy.deleted_one(caller, application_id)
    restoration = _restoration(
        deleted, lock_scopes(rule.scope_id for rule in deleted.deleted_rules)
    )
    subject = restore_subject(deleted.pk, enabled=deleted.was_enabled)
    policy.require(caller.refresh_authority(), "create")
    application = Application(
        subject=subject,
        searched_details=searched_details_of(deleted.description, deleted.labels),
        enabled_at=timezone.now(),  # the dormancy policy counts from now
        **{name: getattr(deleted, name) for name in KEPT_FIELDS},
    )
    application.save(force_insert=True)
    record(
        "create",
        entity_of(application),
        actor=caller.actor,
        changes={"name": [None, application.name], "restored": [None, True]},
    )
    rules = [NewRule(subject, *grant) for grant in restoration.grants]
    restore_access_rules(rules, caller=caller)
    caller.authority.require_can_impersonate(subject)
    caller.require_recent_authentication_for(subject)
    deleted.delete()
    return RestoredApplication(application, restoration)


def _restoration(deleted: DeletedApplication, scopes: dict[int, Scope]) -> Restoration:
    rules = deleted.deleted_rules
    roles = Role.objects.in_bulk({rule.role_id for rule in rules})
    now = timezone.now()
    grants, lost = [], []
    for rule in rules:
        role, scope = roles.get(rule.role_id), scopes.get(rule.scope_id)
        has_expired = rule.expires_at is not None and rule.expires_at <= now
        if role and scope and not has_expired:
            grants.append(RestoredGrant(role, scope, rule.expires_at))
        else:
            lost.append(rule)
    return Restoration(grants, lost)
