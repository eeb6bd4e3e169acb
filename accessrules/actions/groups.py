"""Group actions. Members of a group get its access rules.

Groups belong to the account, so every action requires a `groups` permission there.
"""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction

from accessrules.actions.locking import lock_administration, lock_subject, lock_subjects
from accessrules.actions.subjects import (
    create_subject,
    rename_subject,
    retire_subjects,
    set_subject_enabled,
)
from accessrules.authorization.authority import ACCOUNT
from accessrules.authorization.callers import Caller
from accessrules.models import GroupMembership, Subject
from accessrules.validators import check_name
from runai_access.audit.recorder import Entity, record, record_all
from runai_access.errors import Conflict, NotFound


@transaction.atomic
def create_group(*, caller: Caller, name: str) -> Subject:
    """Create a group without members and rules.

    Raises Denied, ValidationError for an invalid name, Conflict if the name is taken.
    """
    caller.refresh_authority().authority.require("create", "groups", ACCOUNT)
    group = create_subject(type_=Subject.Type.GROUP, name=check_name(name))
    record("create", _entity(group), actor=caller.actor, changes={"name": [None, group.name]})
    return group


@transaction.atomic
def rename_group(*, caller: Caller, group: Subject, name: str) -> None:
    """Rename a group. It keeps its members and rules.

    Raises Denied, NotFound, ValidationError for an invalid name, Conflict if the name is taken.
    """
    name = check_name(name)
    lock_administration()
    locked = _locked(group)
    caller.refresh_authority().authority.require("update", "groups", ACCOUNT)
    before = locked.name
    if name != before:
        rename_subject(locked, name)
        _record_update(caller, locked, name=[before, name])


@transaction.atomic
def delete_group(*, caller: Caller, group: Subject) -> None:
    """Delete a group with its memberships and rules. Its members lose the access it granted.

    Raises Denied, NotFound.
    """
    lock_administration()  # before the group: locks have a fixed order
    locked = _locked(group)
    caller.refresh_authority().authority.require("delete", "groups", ACCOUNT)
    retire_subjects([locked], caller=caller)
    GroupMembership.objects.filter(group=group).delete()
    record("delete", _entity(group), actor=caller.actor, changes={"name": [group.name, None]})


@transaction.atomic
def set_group_enabled(*, caller: Caller, group: Subject, enabled: bool) -> None:
    """Enable or disable a group's rules for all its members.

    Enabling requires every permission that the group holds. Raises NotFound, Denied.
    """
    lock_administration()
    locked = _locked(group)
    caller.refresh_authority().authority.require("update", "groups", ACCOUNT)
    if locked.enabled == enabled:
        return
    if enabled:
        caller.authority.require_can_impersonate(locked)
    set_subject_enabled(locked, enabled=enabled)
    _record_update(caller, locked, enabled=[not enabled, enabled])


def add_member(*, caller: Caller, group: Subject, member: Subject) -> None:
    """Add a user or an application to a group.

    Raises as `change_members` does, and Conflict for an existing member.
    """
    if not change_members(caller=caller, group=group, added=[member]):
        raise Conflict(f"{member} is already in {group}.", field="member")


def remove_member(*, caller: Caller, group: Subject, member: Subject) -> None:
    """Remove a member from a group. Raises Denied, and NotFound if it is not a member."""
    if not change_members(caller=caller, group=group, removed=[member]):
        raise NotFound(f"{member} is not in {group}.")


@transaction.atomic
def change_members(
    *,
    caller: Caller,
    group: Subject,
    added: Collection[Subject] = (),
    removed: Collection[Subject] = (),
) -> int:
    """Add and remove users and applications, and return how many memberships changed.

    Has no effect for those who are members, or are not, already. Adding requires every permission
    that the group holds, because the new members get them. Raises Denied, NotFound, and Conflict
    for a group as member.
    """
    locked = _locked(group)
    new_members = lock_subjects(added)
    authority = caller.refresh_authority().authority
    authority.require("update", "groups", ACCOUNT)
    if any(member.type == Subject.Type.GROUP for member in new_members):
        raise Conflict("A group can't be a member of a group.", field="member")
    if new_members:
        authority.require_can_impersonate(locked)
        caller.require_recent_authentication_for(locked)
    memberships = GroupMembership.objects.filter(group=locked)
    concerned = memberships.filter(member__in=[*added, *removed])
    present = set(concerned.values_list("member", flat=True))
    missing = [member for member in new_members if member.pk not in present]
    GroupMembership.objects.bulk_create(
        GroupMembership(group=locked, member=member) for member in missing
    )
    obsolete = [member for member in removed if member.pk in present]
    memberships.filter(member__in=obsolete).delete()
    changes: list[list[object]] = [[None, member.name] for member in missing]
    changes += [[member.name, None] for member in obsolete]
    record_all(
        (("update", _entity(locked), {"members": change}) for change in changes),
        actor=caller.actor,
    )
    return len(changes)


def _locked(group: Subject) -> Subject:
    """Lock the group, so that no rule is added to it between the check and the change."""
    if group.type != Subject.Type.GROUP:
        raise ValidationError({"group": f"{group} is not a group."})
    return lock_subject(group)


def _record_update(caller: Caller, group: Subject, **changes: list[object]) -> None:
    record("update", _entity(group), actor=caller.actor, changes=changes)


def _entity(group: Subject) -> Entity:
    return Entity("group", str(group.pk), group.name)
