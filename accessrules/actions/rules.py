"""Creating and deleting access rules, with permission checks and audit events."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BigAutoField, Exists, OuterRef
from django.utils import timezone

from accessrules.actions.locking import (
    existing,
    lock_administration,
    lock_living_subjects,
    lock_scopes,
)
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.authorization.catalog import SYSTEM_ADMINISTRATOR_ID
from accessrules.authorization.grants import gives_access
from accessrules.models import (
    ACCOUNT_PATH,
    AccessRule,
    AccessRuleQuerySet,
    Role,
    Scope,
    Subject,
)
from runai_access.audit.recorder import Entity, record_all
from runai_access.errors import Conflict, NotFound, Refusal, attempt, require_success


class NewRule(NamedTuple):
    """An access rule to create. It ends at `expires_at` or, without it, when it is deleted."""

    subject: Subject
    role: Role
    scope: Scope
    expires_at: datetime | None = None


def create_access_rule(
    *,
    caller: Caller,
    subject: Subject,
    role: Role,
    scope: Scope,
    expires_at: datetime | None = None,
) -> AccessRule:
    """Grant `role` in `scope` to `subject`, until `expires_at` or, without it, until it is deleted.

    Raises Denied if the caller cannot grant it, NotFound if the scope or subject was deleted,
    ReauthenticationRequired for an administrator role, ValidationError for an expiry in the past,
    Conflict if the subject already has that rule.
    """
    rule = NewRule(subject, role, scope, expires_at)
    return require_success(create_access_rules(caller=caller, rules=[rule])[0])


@transaction.atomic
def create_access_rules(*, caller: Caller, rules: Sequence[NewRule]) -> list[AccessRule | Refusal]:
    """Create rules in one transaction; return each rule, or why it is refused.

    For refusals and errors, see `create_access_rule`. The number of queries does not depend on the
    number of rules. Their scopes and subjects stay locked until the end, so pass at most a few hundred.
    """
    for expiry in {rule.expires_at for rule in rules}:
        check_expiry(expiry)
    # Locked first: no other request can move or delete a scope, or add an equal rule, after the check.
    scopes = lock_scopes(rule.scope.pk for rule in rules)
    subjects = lock_living_subjects(rule.subject.pk for rule in rules)
    authority = caller.refresh_authority().authority
    present = _present(rules)
    created = list[AccessRule]()

    def create(new: NewRule) -> AccessRule:
        scope, subject = existing(scopes, new.scope), existing(subjects, new.subject)
        authority.require_can_grant(new.role, scope)
        if gives_access(new.role):
            caller.require_recent_authentication()
        key = (subject.pk, new.role.pk, scope.pk)
        if key in present:
            raise Conflict(
                f"{subject.name} already has the role {new.role.name} in {scope.label}.",
                field="roleId",
            )
        present.add(key)
        locked = new._replace(subject=subject, scope=scope)
        created.append(AccessRule(**locked._asdict(), created_by=caller.name))
        return created[-1]

    results = [attempt(create, rule) for rule in rules]
    _insert(created, caller)
    return results


def _present(wanted: Sequence[NewRule]) -> set[tuple[object, ...]]:
    """Delete expired rules like these; return subject, role and scope of the others like these."""
    alike = AccessRule.objects.living().filter(
        subject__in={rule.subject.pk for rule in wanted},
        role__in={rule.role.pk for rule in wanted},
        scope__in={rule.scope.pk for rule in wanted},
    )
    rules = alike.values_list("pk", "expires_at", "subject_id", "role_id", "scope_id")
    expired, present, now = [], set[tuple[object, ...]](), timezone.now()
    for pk, expires_at, *key in rules:
        if expires_at is not None and expires_at <= now:
            expired.append(pk)
        else:
            present.add(tuple(key))
    if expired:
        delete_expired(AccessRule.objects.living().filter(pk__in=expired), len(expired))
    return present


def delete_access_rule(*, caller: Caller, rule_id: int, of: Subject | None = None) -> AccessRule:
    """Soft-delete a rule. With `of`, the rule must belong to that subject.

    Raises NotFound if the rule is not visible, Denied if the caller cannot delete rules there,
    Conflict for the last administrator's rule.
    """
    return require_success(delete_access_rules(caller=caller, rule_ids=[rule_id], of=of)[0])


@transaction.atomic
def delete_access_rules(
    *, caller: Caller, rule_ids: Sequence[int], of: Subject | None = None
) -> list[AccessRule | Refusal]:
    """Soft-delete rules in one transaction; return each rule, or why it is refused.

    For refusals, see `delete_access_rule`; raises Denied if the caller can delete no rules at all. The
    number of queries does not depend on the number of rules. The transaction blocks all other changes
    of rules, so pass at most a few hundred.
    """
    lock_administration()
    authority = caller.refresh_authority().authority
    authority.require_anywhere("delete", "access_rules")
    rules = authority.visible_rules().living().select_related("subject", "role", "scope")
    if of is not None:
        rules = rules.filter(subject=of)
    keys = [rule_id for rule_id in rule_ids if rule_id <= BigAutoField.MAX_BIGINT]
    locked = rules.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    found = {rule.pk: rule for rule in locked}
    deleted = list[AccessRule]()

    def delete(rule_id: int) -> AccessRule:
        rule = found.pop(rule_id, None)
        if rule is None:
            raise NotFound("Access rule not found.")
        authority.require("delete", "access_rules", rule.scope)
        if rule.role_id == SYSTEM_ADMINISTRATOR_ID:
            require_an_administrator(without=rule.subject, without_rules=[*deleted, rule])
        deleted.append(rule)
        return rule

    results = [attempt(delete, rule_id) for rule_id in rule_ids]
    delete_rules(deleted, caller)
    return results


def check_expiry(expires_at: datetime | None) -> None:
    """Raise ValidationError unless a rule can expire at this time."""
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expiresAt": "The expiry must be in the future."})


def delete_expired(rules: AccessRuleQuerySet, limit: int = 1) -> int:
    """Soft-delete the first `limit` of expired rules, in the caller's transaction; return how many."""
    locked = rules.select_related("subject", "role", "scope").select_for_update(of=("self",))
    expired = list(locked[:limit])
    delete_rules(expired, SYSTEM, status=["active", "expired"])
    return len(expired)


def delete_rules(rules: Collection[AccessRule], caller: Caller, **changes: list[str]) -> None:
    """Soft-delete locked rules, in the caller's transaction, which checks the permission.

    Each gets an audit event, with these `changes` besides its facts.
    """
    now = timezone.now()
    AccessRule.objects.filter(pk__in=[rule.pk for rule in rules]).update(
        deleted_at=now, updated_at=now
    )
    record_all(
        (("delete", entity_of(rule), {**_changes(rule, None), **changes}) for rule in rules),
        actor=caller.actor,
    )


def restore_access_rules(rules: Iterable[NewRule], *, caller: Caller) -> None:
    """Add rules to a restored subject, in the caller's transaction, which checks the permission."""
    _insert([AccessRule(**rule._asdict(), created_by=caller.name) for rule in rules], caller)


def _insert(rules: Sequence[AccessRule], caller: Caller) -> None:
    AccessRule.objects.bulk_create(rules)
    record_all(
        (("create", entity_of(rule), _changes(None, rule)) for rule in rules), actor=caller.actor
    )


def require_an_administrator(
    *, without: Subject, without_rules: Collection[AccessRule] = ()
) -> None:
    """Raise Conflict unless an enabled user still has their own administrator rule on the account.

    A rule that expires does not count: one day there would be no administrator. Does nothing if
    `without` is not a user, or if there never was an administrator (set-up). `without_rules` are about
    to be deleted.
    """
    if without.type != Subject.Type.USER:
        return
    # A condition on each rule, not a join: the role has few rules, the account has many.
    is_on_account = Exists(Scope.objects.filter(pk=OuterRef("scope"), path=ACCOUNT_PATH))
    users = AccessRule.objects.filter(
        is_on_account, role=SYSTEM_ADMINISTRATOR_ID, subject__type=Subject.Type.USER
    )
    permanent = users.living().filter(subject__enabled=True, expires_at=None)
    remaining = permanent.exclude(pk__in=[rule.pk for rule in without_rules])
    if remaining.exists() or not users.exists():
        return
    raise Conflict("The account needs a System administrator. Assign another user that role first.")


def entity_of(rule: AccessRule) -> Entity:
    """Return a rule as the audit log names it."""
    return Entity("access_rule", str(rule.pk), str(rule))


def _changes(before: AccessRule | None, after: AccessRule | None) -> dict[str, list[str | None]]:
    old = before.facts() if before else {}
    new = after.facts() if after else {}
    return {name: [old.get(name), new.get(name)] for name in {**old, **new}}
