"""The expiry of access rules: changing it, and deleting the rules that have expired."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accessrules.actions.locking import lock_administration, lock_scope
from accessrules.actions.rules import (
    check_expiry,
    delete_expired,
    entity_of,
    require_an_administrator,
)
from accessrules.authorization.callers import Caller
from accessrules.authorization.grants import gives_access
from accessrules.models import AccessRule
from runai_access.audit.recorder import record
from runai_access.errors import NotFound

_BATCH_SIZE = 500


@transaction.atomic
def change_expiry(*, caller: Caller, rule_id: int, expires_at: datetime | None) -> AccessRule:
    """Set when a rule expires; None means never.

    Requires the permission to grant the rule. Raises NotFound if the rule is not visible or expired,
    Denied, ValidationError for an expiry in the past, and Conflict for the last administrator's rule.
    """
    lock_administration()
    authority = caller.refresh_authority().authority
    authority.require_anywhere("create", "access_rules")
    visible = authority.visible_rules().unexpired().select_related("subject", "role", "scope")
    found = visible.filter(pk=rule_id).first()
    scope = lock_scope(found.scope) if found else None
    # Locked after the scope, and read again: locks have a fixed order.
    rule = visible.select_for_update(of=("self",)).filter(pk=rule_id).first()
    if rule is None or scope is None:
        raise NotFound("Access rule not found.")
    authority.require_can_grant(rule.role, scope)
    check_expiry(expires_at)
    if gives_access(rule.role):
        caller.require_recent_authentication()
    before = rule.expires_at
    if before == expires_at:
        return rule
    rule.expires_at, rule.updated_at = expires_at, timezone.now()
    rule.save(update_fields=["expires_at", "updated_at"])
    require_an_administrator(without=rule.subject)
    changes = {"expiresAt": [before and before.isoformat(), expires_at and expires_at.isoformat()]}
    record("update", entity_of(rule), actor=caller.actor, changes=changes)
    return rule


def delete_expired_rules(should_continue: Callable[[], bool]) -> int:
    """Soft-delete the rules that have expired, and return how many.

    They give no access since they expired. Deleting them frees each for a new grant, and corrects
    counts and search.
    """
    deleted = 0
    while should_continue() and AccessRule.objects.expired().exists():
        with transaction.atomic():
            lock_administration()  # first, as all other changes of rules do
            found = delete_expired(
                AccessRule.objects.expired().order_by("expires_at", "pk"), _BATCH_SIZE
            )
        deleted += found
    return deleted
