"""What SCIM requests change. Each function is one transaction of the actions that the pages call."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import transaction
from scim2_models import (
    InvalidValueException,
    MutabilityException,
    Path,
    PayloadTooLargeException,
    ResponseParameters,
)

from accessrules.actions.groups import change_members, create_group, rename_group
from accessrules.actions.locking import lock_administration
from accessrules.authorization.callers import Caller
from accessrules.models import Subject
from runai_access.accounts import policy
from runai_access.accounts.actions import create_user, rename_user, set_user_enabled
from runai_access.accounts.models import User
from runai_access.db.normalization import normalize_email
from runai_access.scim.actions import set_external_id
from runai_access.scim.membership import MemberChanges
from runai_access.scim.representation import (
    represent_groups,
    user_memberships,
    writable_attributes,
)
from runai_access.scim.requests import display_name_of
from runai_access.scim.resources import Group, WritableUser

# Members that one statement adds or removes.
BATCH_SIZE = 500
# Members that one request adds and removes. Each has an audit row, and locks are held meanwhile.
MAX_CHANGED_MEMBERS = 10_000
_WITHOUT_MEMBERS: ResponseParameters[Group] = ResponseParameters(
    excluded_attributes=[Path("members")]
)


@transaction.atomic
def provision_user(*, caller: Caller, sent: WritableUser) -> User:
    """Create a user, who can't sign in with a password until one is set.

    Raises what the actions raise.
    """
    lock_administration()
    user = create_user(
        caller=caller,
        email=sent.user_name or "",
        password=None,
        display_name=display_name_of(sent) or "",
    )
    if sent.external_id:
        set_external_id(caller=caller, subject=user.subject, value=sent.external_id)
    if not sent.active:
        user = set_user_enabled(caller=caller, user_id=user.pk, enabled=False)
    return user


@transaction.atomic
def change_user(
    *, caller: Caller, user_id: UUID, change: Callable[[WritableUser], WritableUser]
) -> User:
    """Apply a change to a user.

    Raises what the actions and `change` raise, and MutabilityException for another user name.
    """
    lock_administration()  # before the user, to keep the lock order
    user: User = policy.one_for(caller, "update", user_id)
    before = writable_attributes(user)
    after = change(before.model_copy(deep=True))
    if normalize_email(after.user_name or "") != user.email:
        raise MutabilityException(detail="The userName of a user is their email. It never changes.")
    if after.display_name != before.display_name:
        rename_user(caller=caller, user_id=user.pk, display_name=after.display_name or "")
    if after.external_id != before.external_id:
        set_external_id(caller=caller, subject=user.subject, value=after.external_id or "")
    if after.active != before.active:
        set_user_enabled(caller=caller, user_id=user.pk, enabled=bool(after.active))
    return User.objects.get(pk=user.pk)


@transaction.atomic
def provision_group(*, caller: Caller, sent: Group, members: MemberChanges) -> Subject:
    """Create a group with members. Raises what the actions raise."""
    lock_administration()
    group = create_group(caller=caller, name=sent.display_name or "")
    if sent.external_id:
        set_external_id(caller=caller, subject=group, value=sent.external_id)
    _change_members(caller, group, members)
    return group


@transaction.atomic
def change_group(
    *,
    caller: Caller,
    group_id: UUID,
    change: Callable[[Group], Group],
    members: MemberChanges,
) -> Subject:
    """Apply a change to a group, and change its members. Raises what the actions and `change` raise."""
    lock_administration()
    group: Subject = policy.GROUPS.one_for(caller, "update", group_id)
    (before,) = represent_groups([group], _WITHOUT_MEMBERS)
    after = change(before.model_copy(deep=True))
    if after.display_name != before.display_name:
        rename_group(caller=caller, group=group, name=after.display_name or "")
    if after.external_id != before.external_id:
        set_external_id(caller=caller, subject=group, value=after.external_id or "")
    _change_members(caller, group, members)
    return policy.visible_group(caller, group.pk)


def _change_members(caller: Caller, group: Subject, changes: MemberChanges) -> None:
    added, removed = changes.added, changes.removed
    if changes.is_replaced:
        current = set(user_memberships([group.pk]).values_list("member", flat=True))
        added, removed = added - current, current - added
    if len(added) + len(removed) > MAX_CHANGED_MEMBERS:
        detail = f"A request can add and remove at most {MAX_CHANGED_MEMBERS:,} members."
        raise PayloadTooLargeException(detail=detail)
    for batch in _batches(added):
        users = _subjects_of(batch)
        if len(users) < len(batch):
            missing = min(set(batch) - {user.pk for user in users})
            raise InvalidValueException(detail=f"There is no user with the ID {missing}.")
        change_members(caller=caller, group=group, added=users)
    for batch in _batches(removed):
        change_members(caller=caller, group=group, removed=_subjects_of(batch))


def _subjects_of(users: Iterable[UUID]) -> list[Subject]:
    living = Subject.objects.living().filter(type=Subject.Type.USER)
    return list(living.filter(pk__in=list(users)).order_by("pk"))


def _batches(users: Iterable[UUID]) -> Iterable[list[UUID]]:
    ordered = sorted(users)
    return (ordered[at : at + BATCH_SIZE] for at in range(0, len(ordered), BATCH_SIZE))
