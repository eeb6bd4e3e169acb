"""Actions of single sign-on: identities of users, and groups that follow the provider's claims.

Those of a sign-in run as the system. The audit row of a link names the provider.
"""

import uuid
from contextlib import suppress

from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accessrules.actions.groups import add_member, remove_member
from accessrules.actions.locking import lock_subject
from accessrules.authorization.callers import Caller
from accessrules.authorization.grants import can_give_access
from accessrules.models import GroupMembership, Subject
from runai_access.accounts import policy
from runai_access.accounts.actions import create_user, end_sessions, lock_own_user
from runai_access.accounts.models import Group, GroupMapping, User
from runai_access.accounts.sso.identity import Identity
from runai_access.accounts.validators import check_display_name, check_group_value
from runai_access.audit.recorder import Entity, record
from runai_access.environment import OpenIDProvider
from runai_access.errors import Conflict, DomainError, NotFound


class SignInRefused(DomainError):
    """The provider's user can't sign in. The message is for them; `reason` is for the audit log."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def sign_on(*, caller: Caller, identity: Identity, provider: OpenIDProvider) -> User:
    """Return the enabled user of an identity, with the groups of its claims.

    The first sign-in links the identity to the user with its email, or creates that user if the
    provider is allowed to. Raises SignInRefused.
    """
    user = linked_user(identity)
    if user is None:
        try:
            user = _link_by_email(caller, identity, provider)
        except Conflict:  # another request was first
            user = linked_user(identity)
            if user is None:
                raise _taken(identity, provider) from None
    if not user.enabled:
        raise SignInRefused("Your user is disabled.", reason="the user is disabled")
    apply_group_mappings(caller=caller, user=user, values=identity.groups)
    return user


def linked_user(identity: Identity) -> User | None:
    """Return the user with this identity."""
    linked = SocialAccount.objects.filter(provider=identity.issuer, uid=identity.subject)
    return User.objects.filter(pk__in=linked.values("user")).first()


@transaction.atomic
def connect_own_identity(*, caller: Caller, identity: Identity) -> User:
    """Link an identity to the caller, whatever its email.

    Raises ReauthenticationRequired, and Conflict if the identity or the caller is already linked, or if
    the caller's sessions have ended meanwhile.
    """
    user = lock_own_user(caller)
    caller.refresh_authority().require_recent_authentication()
    _link(caller, user, identity)
    return user


@transaction.atomic
def disconnect_identity(*, caller: Caller, user_id: str | uuid.UUID) -> User:
    """Remove the identities of a user, and end all their sessions.

    The next sign-in with the provider can link another identity, so this requires every permission of
    the user. Raises NotFound, Denied, ReauthenticationRequired.
    """
    user: User = policy.one_for(caller, "update", user_id)
    lock_subject(user.subject)
    policy.require(caller.refresh_authority(), "update")
    caller.authority.require_can_impersonate(user.subject)
    caller.require_recent_authentication_for(user.subject)
    linked = list(SocialAccount.objects.filter(user=user))
    if not linked:
        raise NotFound(f"{user} is not connected.")
    SocialAccount.objects.filter(user=user).delete()
    end_sessions(user)
    user.save(update_fields=["sessions_id"])
    for account in linked:
        _record(caller, user, [_described(account), None])
    return user


def apply_group_mappings(*, caller: Caller, user: User, values: frozenset[str]) -> None:
    """Make the user a member of exactly the mapped groups whose value they have.

    Groups without a mapping are left alone.
    """
    groups = {group.pk: group for group in Group.objects.filter(mappings__isnull=False)}
    if not groups:
        return
    mapped = GroupMapping.objects.filter(group__in=groups, value__in=values)
    wanted = set(mapped.values_list("group", flat=True)) if values else set()
    held = GroupMembership.objects.filter(member=user.subject, group__in=groups)
    current = set(held.values_list("group", flat=True))
    for key in sorted(wanted ^ current):
        act = add_member if key in wanted else remove_member
        with suppress(Conflict, NotFound):  # another request was first
            act(caller=caller, group=groups[key], member=user.subject)


@transaction.atomic
def create_group_mapping(*, caller: Caller, value: str, group: Subject) -> GroupMapping:
    """Make users with this value in their groups claim members of `group` when they sign in.

    Requires every permission of the group, as adding a member does. Raises Denied,
    ReauthenticationRequired, ValidationError for an invalid value, Conflict for an existing mapping.
    """
    try:
        value = check_group_value(value)
    except ValidationError as error:
        raise ValidationError({"value": error.messages}) from error
    locked = lock_subject(group)
    policy.GROUPS.require(caller.refresh_authority(), "update")
    caller.authority.require_can_impersonate(locked)
    caller.require_recent_authentication_for(locked)
    mapping = GroupMapping(value=value, group_id=locked.pk, created_by=caller.name)
    try:
        with transaction.atomic():
            mapping.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"{value} already leads to {locked}.", field="value") from None
    _record_mapping(caller, locked, [None, value])
    return mapping


@transaction.atomic
def delete_group_mapping(*, caller: Caller, mapping_id: uuid.UUID) -> GroupMapping:
    """Delete a mapping. Members stay in the group. Raises Denied, NotFound."""
    policy.GROUPS.require(caller, "update")
    mapping = visible_mapping(caller=caller, mapping_id=mapping_id)
    locked = lock_subject(mapping.group)
    policy.GROUPS.require(caller.refresh_authority(), "update")
    deleted, _ = GroupMapping.objects.filter(pk=mapping.pk).delete()
    if not deleted:
        raise NotFound("This mapping no longer exists.")
    _record_mapping(caller, locked, [mapping.value, None])
    return mapping


def visible_mapping(*, caller: Caller, mapping_id: uuid.UUID) -> GroupMapping:
    """Return a mapping to a visible group. Raises NotFound for any other."""
    groups = policy.GROUPS.visible(caller)
    found = GroupMapping.objects.select_related("group").filter(pk=mapping_id, group__in=groups)
    mapping = found.first()
    if mapping is None:
        raise NotFound("This mapping no longer exists.")
    return mapping


def _link_by_email(caller: Caller, identity: Identity, provider: OpenIDProvider) -> User:
    """Link an identity to the user with its email, or to a new user. Raises SignInRefused, Conflict."""
    if not identity.email:
        raise SignInRefused(
            f"{provider.name} did not confirm your email address.", reason="email not verified"
        )
    # Exactly this email: one that only looks alike can be another person's.
    user = User.objects.filter(email=identity.email).first()
    if user is None:
        return _create_linked_user(caller, identity, provider)
    with transaction.atomic():
        subject = lock_subject(user.subject)
        if not subject.enabled:
            raise SignInRefused("Your user is disabled.", reason="the user is disabled")
        if can_give_access(subject):
            raise _unconfirmed(user, provider)
        _link(caller, user, identity)
    return user


@transaction.atomic
def _create_linked_user(caller: Caller, identity: Identity, provider: OpenIDProvider) -> User:
    if not provider.creates_users:
        raise SignInRefused(
            f"There is no user with the email {identity.email}.", reason="unknown email"
        )
    name = ""
    with suppress(ValidationError):
        name = check_display_name(identity.name)
    try:
        user = create_user(caller=caller, email=identity.email, password=None, display_name=name)
    except ValidationError as error:
        raise SignInRefused(" ".join(error.messages), reason="invalid email") from error
    _link(caller, user, identity)
    return user


def _link(caller: Caller, user: User, identity: Identity) -> None:
    """Store the identity of a locked user. Raises Conflict if it, or the user, is already linked."""
    if SocialAccount.objects.filter(user=user, provider=identity.issuer).exists():
        raise Conflict("Your user is already connected.")
    account = SocialAccount(user=user, provider=identity.issuer, uid=identity.subject)
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This sign-in is already connected to another user.") from None
    _record(caller, user, [None, _described(account)])


def _unconfirmed(user: User, provider: OpenIDProvider) -> SignInRefused:
    if policy.has_local_password(user):
        how = (
            "you must confirm the connection. Sign in with your password, then choose CONNECT "
            f"{provider.name.upper()} on your account page."
        )
    else:
        how = (
            f"your first sign-in with {provider.name} must come before it. Ask an administrator to "
            "remove the role until you have signed in."
        )
    return SignInRefused(
        f"Your user has an administrator role, so {how}",
        reason="first sign-in of a user with an administrator role",
    )


def _taken(identity: Identity, provider: OpenIDProvider) -> SignInRefused:
    return SignInRefused(
        f"The user with the email {identity.email} is connected to another account of {provider.name}.",
        reason="the user is connected to another identity",
    )


def _described(account: SocialAccount) -> str:
    return f"{account.uid} of {account.provider}"


def _record(caller: Caller, user: User, change: list[str | None]) -> None:
    entity = Entity("user", str(user.pk), user.email)
    record("update", entity, actor=caller.actor, changes={"identity": change})


def _record_mapping(caller: Caller, group: Subject, change: list[str | None]) -> None:
    entity = Entity("group", str(group.pk), group.name)
    record("update", entity, actor=caller.actor, changes={"mappedValues": change})
