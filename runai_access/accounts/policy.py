"""Who may do what with people and groups: the decision module's answers, in this app's words."""

from uuid import UUID

from django.db.models import QuerySet

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import Caller
from accessrules.authorization.policies import Policy
from accessrules.models import GroupMembership
from runai_access.accounts.models import Group, User

USERS: Policy[QuerySet[User]] = Policy("users", User.objects.all)
GROUPS: Policy[QuerySet[Group]] = Policy("groups", Group.objects.all)

is_allowed = USERS.is_allowed
require = USERS.require
visible = USERS.visible


def visible_one(caller: Caller, id_: str | UUID) -> User:
    """Return one person in sight; raise NotFound for any other id, whatever its form."""
    user: User = USERS.visible_one(caller, id_)
    return user


def one_for(caller: Caller, action: str, id_: str | UUID) -> User:
    """Return the person to do `action` on; raise Denied or NotFound as the contract has it."""
    user: User = USERS.one_for(caller, action, id_)
    return user


def visible_group(caller: Caller, id_: str | UUID) -> Group:
    """Return one group in sight; raise NotFound for any other id, whatever its form."""
    group: Group = GROUPS.visible_one(caller, id_)
    return group


def visible_memberships(authority: Authority) -> QuerySet[GroupMembership]:
    """Return the memberships of groups in sight."""
    if GROUPS.sees_all(authority):
        return GroupMembership.objects.all()  # a deleted group has none
    return GroupMembership.objects.filter(group__in=GROUPS.visible_rows(authority).values("pk"))
