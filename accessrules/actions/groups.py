"""What can be done with groups: whoever is a member of one holds its rules.

Groups belong to the account, so every action asks for `groups` there.
"""

from django.core.exceptions import ValidationError
from django.db import transaction

from accessrules.actions.rules import (
    create_subject,
    lock_administration,
    lock_subject,
    retire_subjects,
    set_subject_enabled,
)
from accessrules.authorization.authority import ACCOUNT
from accessrules.authorization.callers import Caller
from accessrules.models import GroupMembership, Subject
from accessrules.validators import check_name
from runai_access.audit.recorder import Entity, record
from runai_access.errors import Conflict, NotFound


@transaction.atomic
def create_group(*, caller: Caller, name: str) -> Subject:
    """Create a group without members and rules.

    Raises Denied, ValidationError for a bad name, Conflict for a taken one.
    """
    caller.refresh_authority().authority.require("create", "groups", ACCOUNT)
    group = create_subject(type_=Subject.Type.GROUP, name=check_name(name))
    record("create", _entity(group), actor=caller.actor, changes={"name": [None, group.name]})
    return group


@transaction.atomic
def delete_group(*, caller: Caller, group: Subject) -> None:
    """Delete a group with its memberships and its rules: its members lose what it gave them.

    Raises Denied, NotFound.
    """
    lock_administration()  # before the group: locks are taken in one order
    locked = _locked(group)
    caller.refresh_authority().authority.require("delete", "groups", ACCOUNT)
    retire_subjects([locked], caller=caller)
    GroupMembership.objects.filter(group=group).delete()
    record("delete", _entity(group), actor=caller.actor, changes={"name": [group.name, None]})


@transaction.atomic
def set_group_enabled(*, caller: Caller, group: Subject, enabled: bool) -> None:
    """Switch a group's rules off or on for all its members.

    Raises NotFound, Denied: switching on takes every permission that the group holds.
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


@transaction.atomic
def add_member(*, caller: Caller, group: Subject, member: Subject) -> None:
    """Make a person or an application a member of a group.

    Raises NotFound, Conflict for a member and for a group, and Denied: it takes every permission
    that the group holds, for the member comes to hold them.
    """
    locked = _locked(group)
    joining = lock_subject(member)
    authority = caller.refresh_authority().authority
    authority.require("update", "groups", ACCOUNT)
    if joining.type == Subject.Type.GROUP:
        raise Conflict("A group can't be a member of a group.", field="member")
    authority.require_can_impersonate(locked)
    _, is_new = GroupMembership.objects.get_or_create(group=locked, member=joining)
    if not is_new:
        raise Conflict(f"{joining} is in {locked} already.", field="member")
    _record_update(caller, locked, members=[None, joining.name])


@transaction.atomic
def remove_member(*, caller: Caller, group: Subject, member: Subject) -> None:
    """End a membership. Raises Denied, NotFound where there is none."""
    locked = _locked(group)
    caller.refresh_authority().authority.require("update", "groups", ACCOUNT)
    ended, _ = GroupMembership.objects.filter(group=locked, member=member).delete()
    if not ended:
        raise NotFound(f"{member} is not in {locked}.")
    _record_update(caller, locked, members=[member.name, None])


def _locked(group: Subject) -> Subject:
    """Return the group, locked, so that no rule is granted to it between the check and the act."""
    if group.type != Subject.Type.GROUP:
        raise ValidationError({"group": f"{group} is not a group."})
    return lock_subject(group)


def _record_update(caller: Caller, group: Subject, **changes: list[object]) -> None:
    record("update", _entity(group), actor=caller.actor, changes=changes)


def _entity(group: Subject) -> Entity:
    return Entity("group", str(group.pk), group.name)
