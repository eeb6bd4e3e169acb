"""Actions on access rules and subjects, each with its permission check and audit event."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

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
    SubjectQuerySet,
)
from runai_access.audit.recorder import Entity, record, record_all
from runai_access.db.normalization import is_storable
from runai_access.errors import Conflict, NotFound


@transaction.atomic
def create_access_rule(
    *,
    caller: Caller,
    subject: Subject,
    role: Role,
    scope: Scope,
    expires_at: datetime | None = None,
) -> AccessRule:
    """Grant `role` in `scope` to `subject`, until `expires_at` or, without it, until it is deleted.

    Raises Denied if the caller cannot grant it, ReauthenticationRequired for an administrator role,
    ValidationError for an expiry in the past, Conflict if the subject already has that rule.
    """
    check_expiry(expires_at)
    # Locked first: no other request can move or delete the scope after the check.
    scope = lock_scope(scope)
    living = lock_subject(subject)
    caller.refresh_authority().authority.require_can_grant(role, scope)
    if gives_access(role):
        caller.require_recent_authentication()
    delete_expired(AccessRule.objects.expired().filter(subject=living, role=role, scope=scope))
    rule = AccessRule(
        subject=living, role=role, scope=scope, expires_at=expires_at, created_by=caller.name
    )
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        raise Conflict(
            f"{living.name} already has the role {role.name} in {scope.label}.", field="roleId"
        ) from error
    record("create", entity_of(rule), actor=caller.actor, changes=_changes(None, rule))
    return rule


@transaction.atomic
def delete_access_rule(*, caller: Caller, rule_id: int, of: Subject | None = None) -> AccessRule:
    """Soft-delete a rule. With `of`, the rule must belong to that subject.

    Raises NotFound if the rule is not visible, Denied if the caller cannot delete rules there,
    Conflict for the last administrator's rule.
    """
    lock_administration()
    authority = caller.refresh_authority().authority
    authority.require_anywhere("delete", "access_rules")
    rules = authority.visible_rules().living().select_related("subject", "role", "scope")
    if of is not None:
        rules = rules.filter(subject=of)
    rule = rules.select_for_update(of=("self",)).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("Access rule not found.")
    authority.require("delete", "access_rules", rule.scope)
    _soft_delete([rule])
    require_an_administrator(without=rule.subject)
    record("delete", entity_of(rule), actor=caller.actor, changes=_changes(rule, None))
    return rule


def check_expiry(expires_at: datetime | None) -> None:
    """Raise ValidationError unless a rule can expire at this time."""
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expiresAt": "The expiry must be in the future."})


def delete_expired(rules: AccessRuleQuerySet, limit: int = 1) -> int:
    """Soft-delete the first `limit` of expired rules, in the caller's transaction; return how many."""
    locked = list(
        rules.select_related("subject", "role", "scope").select_for_update(of=("self",))[:limit]
    )
    _soft_delete(locked)
    expired = {"status": ["active", "expired"]}
    record_all(
        (("delete", entity_of(rule), {**_changes(rule, None), **expired}) for rule in locked),
        actor=SYSTEM.actor,
    )
    return len(locked)


def create_subject(*, type_: Subject.Type, name: str, field: str = "name") -> Subject:
    """Create the subject of a new user, application or group, in the caller's transaction.

    Raises Conflict if an active subject has an equal name, also one created concurrently. `field` is
    the input field of the name.
    """
    subject = Subject(id=uuid.uuid4(), type=type_, name=name)
    # Application names are lower-case ASCII, so the unique constraint alone finds equal names.
    if type_ != Subject.Type.APP:
        _require_free(subject, name, field)
    try:
        with transaction.atomic():
            subject.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(taken(name, by=name), field=field) from error
    return subject


def rename_subject(subject: Subject, name: str) -> None:
    """Rename a locked group, in the caller's transaction. Raises Conflict for an equal active name."""
    _require_free(subject, name, "name")
    subject.name = name
    subject.save(update_fields=["name", "normalized_name"])


def _require_free(subject: Subject, name: str, field: str) -> None:
    """Raise Conflict if another active subject of the same type has an equal name."""
    lock_administration()
    living = Subject.objects.living().filter(type=subject.type).exclude(pk=subject.pk)
    same = living.same_name(name).first()
    if same is not None:
        raise Conflict(taken(name, by=same.name), field=field)


def taken(name: str, *, by: str, where: str = "") -> str:
    """Return the error message for a name that is equal to an existing one."""
    place = f" in {where}" if where else ""
    if by == name:
        return f"The name {name} is taken{place}."
    return f"The name {name} is taken{place}: it is equal to {by}."


def retire_subjects(subjects: Collection[Subject], *, caller: Caller) -> list[AccessRule]:
    """Soft-delete the subjects' rules and retire them, in the caller's transaction.

    Return the deleted rules.

    A caller who can delete a subject can delete all its rules with it, including rules that the
    caller could not delete alone. Raises NotFound if a subject is already retired.
    """
    lock_administration()
    lock_subjects(subjects)  # so that no rule is added concurrently
    rules = list(
        AccessRule.objects.living()
        .filter(subject__in=subjects)
        .select_related("subject", "role", "scope")
    )
    _soft_delete(rules)
    record_all(
        (("delete", entity_of(rule), _changes(rule, None)) for rule in rules), actor=caller.actor
    )
    now = timezone.now()
    Subject.objects.filter(pk__in=[subject.pk for subject in subjects]).update(
        enabled=False, retired_at=now
    )
    for subject in subjects:
        subject.enabled, subject.retired_at = False, now
        require_an_administrator(without=subject)
    return rules


def restore_subject(subject_id: uuid.UUID, *, enabled: bool) -> Subject:
    """Make a retired subject active again, in the caller's transaction.

    Raises NotFound if it is not retired, Conflict if another subject has its name.
    """
    retired = Subject.objects.exclude(retired_at=None).select_for_update(no_key=True)
    subject = retired.filter(pk=subject_id).first()
    if subject is None:
        raise NotFound("Resource id not found.")
    subject.enabled, subject.retired_at = enabled, None
    try:
        with transaction.atomic():
            subject.save(update_fields=["enabled", "retired_at"])
    except IntegrityError as error:
        raise Conflict(taken(subject.name, by=subject.name), field="name") from error
    return subject


class RestoredGrant(NamedTuple):
    """What an access rule of a restored subject grants, and until when."""

    role: Role
    scope: Scope
    expires_at: datetime | None


def restore_access_rules(
    subject: Subject, grants: Iterable[RestoredGrant], *, caller: Caller
) -> None:
    """Add rules to a restored subject, in the caller's transaction, which checks the permission."""
    for grant in grants:
        rule = AccessRule(subject=subject, created_by=caller.name, **grant._asdict())
        rule.save(force_insert=True)
        record("create", entity_of(rule), actor=caller.actor, changes=_changes(None, rule))


def set_subject_enabled(subject: Subject, *, enabled: bool) -> None:
    """Enable or disable a subject, in the caller's transaction."""
    set_subjects_enabled([subject], enabled=enabled)


def set_subjects_enabled(subjects: Collection[Subject], *, enabled: bool) -> None:
    """Enable or disable subjects, in the caller's transaction."""
    if not enabled:
        lock_administration()
    keys = [subject.pk for subject in subjects]
    Subject.objects.filter(pk__in=keys).update(enabled=enabled)
    for subject in subjects:
        subject.enabled = enabled
        if not enabled:
            require_an_administrator(without=subject)


def lock_administration() -> None:
    """Serialize changes to administrators, so that two requests can't remove the last two.

    On SQLite, the IMMEDIATE transaction is already that lock.
    """
    if connection.features.has_select_for_update:
        Scope.objects.select_for_update().get(path=ACCOUNT_PATH)


def lock_scope(scope: Scope) -> Scope:
    """Lock and re-read `scope`. Raises NotFound if it was deleted.

    Acquire locks in this order: the account, other scopes, subjects.
    """
    locked = Scope.objects.select_for_update().filter(pk=scope.pk).first()
    if locked is None:
        raise NotFound(f"The {scope.label} no longer exists.")
    return locked


def lock_scopes(keys: Iterable[int]) -> dict[int, Scope]:
    """Lock the scopes with these keys, and return those that exist, by key."""
    scopes = Scope.objects.select_for_update().filter(pk__in=set(keys)).order_by("pk")
    return {scope.pk: scope for scope in scopes}


def lock_subject(subject: Subject) -> Subject:
    """Lock and re-read `subject`. Raises NotFound if it was retired."""
    (locked,) = lock_subjects([subject])
    return locked


def lock_subjects(subjects: Collection[Subject]) -> list[Subject]:
    """Lock and re-read `subjects`. Raises NotFound if one was retired."""
    keys = [subject.pk for subject in subjects]
    # No key changes, so checks of foreign keys, which can come last in a transaction, need not wait.
    unlocked = Subject.objects.living().select_for_update(no_key=True)
    living = unlocked.filter(pk__in=keys).order_by("pk")
    locked = {subject.pk: subject for subject in living}
    for subject in subjects:
        if subject.pk not in locked:
            type_name = subject.get_type_display().lower()
            raise NotFound(f"The {type_name} {subject.name} no longer exists.")
    return [locked[key] for key in keys]


def require_an_administrator(*, without: Subject) -> None:
    """Raise Conflict unless an enabled user still has their own administrator rule on the account.

    A rule that expires does not count: one day there would be no administrator. Does nothing if
    `without` is not a user, or if there never was an administrator (set-up).
    """
    if without.type != Subject.Type.USER:
        return
    # A condition on each rule, not a join: the role has few rules, the account has many.
    is_on_account = Exists(Scope.objects.filter(pk=OuterRef("scope"), path=ACCOUNT_PATH))
    users = AccessRule.objects.filter(
        is_on_account, role=SYSTEM_ADMINISTRATOR_ID, subject__type=Subject.Type.USER
    )
    permanent = users.living().filter(subject__enabled=True, expires_at=None)
    if permanent.exists() or not users.exists():
        return
    raise Conflict("The account needs a System administrator. Assign another user that role first.")


def find_subject(type_: str, name_or_id: str) -> Subject:
    """Return the active subject with this type and this name or id. Raises NotFound.

    Subjects that are not visible to the caller are found too: otherwise a department administrator
    could never add the first rule for one.
    """
    living = Subject.objects.living().filter(type=type_)
    subject = None
    if is_storable(name_or_id):
        subject = living.one_named(name_or_id) or _by_id(living, name_or_id)
    if subject is None:
        raise NotFound(f"{Subject.Type(type_).label} {name_or_id!r} not found.")
    return subject


def _by_id(subjects: SubjectQuerySet, text: str) -> Subject | None:
    try:
        return subjects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        return None


def _soft_delete(rules: list[AccessRule]) -> None:
    now = timezone.now()
    AccessRule.objects.filter(pk__in=[rule.pk for rule in rules]).update(
        deleted_at=now, updated_at=now
    )


def entity_of(rule: AccessRule) -> Entity:
    """Return a rule as the audit log names it."""
    return Entity("access_rule", str(rule.pk), str(rule))


def _changes(before: AccessRule | None, after: AccessRule | None) -> dict[str, list[str | None]]:
    old = before.facts() if before else {}
    new = after.facts() if after else {}
    return {name: [old.get(name), new.get(name)] for name in {**old, **new}}
