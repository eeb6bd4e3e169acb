"""The policies of users and groups: authorization decisions for these resource types."""

from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import QuerySet

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import Caller
from accessrules.authorization.grants import can_give_access
from accessrules.authorization.policies import Policy
from accessrules.models import GroupMembership
from runai_access.accounts.models import Group, User

USERS: Policy[QuerySet[User]] = Policy("users", User.objects.all)
GROUPS: Policy[QuerySet[Group]] = Policy("groups", Group.objects.all)

is_allowed = USERS.is_allowed
require = USERS.require
visible = USERS.visible


def visible_one(caller: Caller, id_: str | UUID) -> User:
    """Return a visible user. Raises NotFound for any other id, also a malformed one."""
    user: User = USERS.visible_one(caller, id_)
    return user


def one_for(caller: Caller, action: str, id_: str | UUID) -> User:
    """Return the user to perform `action` on. Raises Denied or NotFound (see Policy.one_for)."""
    user: User = USERS.one_for(caller, action, id_)
    return user


def visible_group(caller: Caller, id_: str | UUID) -> Group:
    """Return a visible group. Raises NotFound for any other id, also a malformed one."""
    group: Group = GROUPS.visible_one(caller, id_)
    return group


def visible_memberships(authority: Authority) -> QuerySet[GroupMembership]:
    """Return the memberships of visible groups."""
    if GROUPS.sees_all(authority):
        return GroupMembership.objects.all()  # deleted groups have no memberships
    return GroupMembership.objects.filter(group__in=GROUPS.visible_rows(authority).values("pk"))


def can_sign_in_locally(user: User) -> bool:
    """Return whether the user can sign in with a password, instead of the identity provider."""
    if settings.LOCAL_SIGN_IN == "everyone" or user.is_break_glass:
        return True
    return settings.LOCAL_SIGN_IN == "administrators" and can_give_access(user.subject)


def has_local_password(user: User) -> bool:
    """Return whether the user has a password, and can sign in with it."""
    return user.has_usable_password() and can_sign_in_locally(user)


def has_second_factor(user: User) -> bool:
    """Return whether the user has a factor, and is therefore always asked for it."""
    return factors_of(user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def factors_of(user: User) -> QuerySet[Any]:
    """Return the authenticator app, the passkeys and the recovery codes of a user."""
    factors: QuerySet[Any] = Authenticator.objects.filter(user=user).order_by("pk")
    return factors


def requires_second_factor(user: User) -> bool:
    """Return whether the user must have a second factor to sign in without the identity provider."""
    if settings.REQUIRE_MFA == "administrators":
        return can_give_access(user.subject)
    return bool(settings.REQUIRE_MFA == "everyone")
