"""The SCIM representation of users and groups."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from scim2_models import Meta, ResponseParameters

from accessrules.authorization.callers import Caller
from accessrules.models import GroupMembership, Subject
from runai_access.accounts import models, policy
from runai_access.scim.models import ExternalId
from runai_access.scim.resources import (
    Email,
    Group,
    GroupOfUser,
    Member,
    User,
    WritableUser,
    location,
)


def represent_users(
    users: Collection[models.User], caller: Caller, parameters: ResponseParameters[Any]
) -> list[User]:
    """Return the representation of users, with their groups if the caller can see groups."""
    keys = [user.pk for user in users]
    external_ids = _external_ids(keys)
    sees_groups = policy.GROUPS.is_allowed(caller, "read")
    groups = _groups_of(keys) if sees_groups and _wants(parameters, "groups") else {}
    return [
        User(
            id=str(user.pk),
            external_id=external_ids.get(user.pk),
            user_name=user.email,
            display_name=user.display_name or None,
            active=user.enabled,
            emails=[Email(value=user.email, primary=True)],
            groups=groups.get(user.pk),
            meta=Meta(
                resource_type="User",
                location=location("Users", user.pk),
                created=user.created_at,
                last_modified=user.updated_at,
            ),
        )
        for user in users
    ]


def writable_attributes(user: models.User) -> WritableUser:
    """Return the attributes of a user that a request can change."""
    return WritableUser(
        id=str(user.pk),
        external_id=_external_ids([user.pk]).get(user.pk),
        user_name=user.email,
        display_name=user.display_name or None,
        active=user.enabled,
    )


def represent_groups(
    groups: Collection[Subject], parameters: ResponseParameters[Any]
) -> list[Group]:
    """Return the representation of groups, with their members who are users."""
    keys = [group.pk for group in groups]
    external_ids = _external_ids(keys)
    members = _members_of(keys) if _wants(parameters, "members") else {}
    return [
        Group(
            id=str(group.pk),
            external_id=external_ids.get(group.pk),
            display_name=group.name,
            members=members.get(group.pk),
            meta=Meta(resource_type="Group", location=location("Groups", group.pk)),
        )
        for group in groups
    ]


def _wants(parameters: ResponseParameters[Any], attribute: str) -> bool:
    """Return whether the response contains an attribute. Others need not be read from the database."""
    if parameters.attributes:
        return attribute in map(_attribute, parameters.attributes)
    return attribute not in map(_attribute, parameters.excluded_attributes or ())


def _attribute(path: str) -> str:
    return path.rpartition(":")[2].partition(".")[0].lower()


def _external_ids(subjects: Collection[UUID]) -> dict[UUID, str]:
    return dict(ExternalId.objects.filter(pk__in=subjects).values_list("pk", "value"))


def _groups_of(users: Collection[UUID]) -> dict[UUID, list[GroupOfUser]]:
    memberships = GroupMembership.objects.filter(member__in=users).order_by("group__name")
    groups = defaultdict(list)
    for user, group, name in memberships.values_list("member", "group", "group__name"):
        ref = location("Groups", group)
        groups[user].append(GroupOfUser(value=str(group), ref=ref, display=name))
    return groups


def _members_of(groups: Collection[UUID]) -> dict[UUID, list[Member]]:
    members = defaultdict(list)
    for group, user in user_memberships(groups).values_list("group", "member"):
        ref = location("Users", user)
        members[group].append(Member(value=str(user), ref=ref, type="User"))
    return members


def user_memberships(groups: Iterable[UUID]) -> QuerySet[GroupMembership]:
    """Return the memberships of users in groups."""
    memberships = GroupMembership.objects.filter(group__in=list(groups))
    return memberships.filter(member__type=Subject.Type.USER).order_by("pk")
