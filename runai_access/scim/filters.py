"""SCIM filters: comparisons with `eq`, joined by `and`, of attributes that have an index.

Conditions that few rows match become lists of keys. In a larger query, SQLite would rather read all
groups in the order of the page.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from scim2_models import InvalidFilterException
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ScimFilter,
)

from accessrules.models import GroupMembership, Subject
from runai_access.accounts.models import User
from runai_access.db.normalization import is_storable
from runai_access.scim.models import ExternalId

Conditions = Mapping[str, Callable[[str], Q]]
_NOTHING = Q(pk__in=[])


def _by_id(condition: Callable[[UUID], Q]) -> Callable[[str], Q]:
    """Return a condition for IDs, which no malformed ID matches."""

    def parsed(text: str) -> Q:
        try:
            return condition(UUID(text))
        except ValueError:
            return _NOTHING

    return parsed


def _among(rows: QuerySet[Any], key: str = "pk") -> Q:
    return Q(pk__in=list(rows.values_list(key, flat=True)))


def _has_email(email: str) -> Q:
    return _among(User.objects.with_email(email))


def _has_name(name: str) -> Q:
    return _among(Subject.objects.living().filter(type=Subject.Type.GROUP).same_name(name))


def _has_external_id(value: str) -> Q:
    return _among(ExternalId.objects.filter(value=value))


def _has_member(member: UUID) -> Q:
    return _among(GroupMembership.objects.filter(member=member), "group")


_has_key = _by_id(lambda key: Q(pk=key))
_is_in_group = _by_id(lambda group: Q(subject__group_memberships__group=group))
OF_USERS: Conditions = {
    "id": _has_key,
    "userName": _has_email,
    "emails": _has_email,
    "emails.value": _has_email,
    "externalId": _has_external_id,
}
# For callers who can read groups.
OF_USERS_IN_GROUPS: Conditions = {
    **OF_USERS,
    "groups": _is_in_group,
    "groups.value": _is_in_group,
}
OF_GROUPS: Conditions = {
    "id": _has_key,
    "displayName": _has_name,
    "externalId": _has_external_id,
    "members": _by_id(_has_member),
    "members.value": _by_id(_has_member),
}


def matching(scim_filter: ScimFilter[Any] | None, conditions: Conditions) -> Q:
    """Return the condition of a filter. Raises InvalidFilterException for one without an index."""
    if scim_filter is None:
        return Q()
    return reduce(and_, (_matching(one, conditions) for one in _terms(scim_filter.ast)))


def _matching(comparison: Comparison, conditions: Conditions) -> Q:
    attribute, value = comparison.attr_path, comparison.value
    name = f"{attribute.attr}.{attribute.sub_attr}" if attribute.sub_attr else attribute.attr
    by_name = {known.lower(): condition for known, condition in conditions.items()}
    condition = by_name.get(name.lower())
    if condition is None:
        known = ", ".join(conditions)
        raise InvalidFilterException(detail=f"Can't filter by {name}. Attributes: {known}.")
    if not isinstance(value, str):
        raise InvalidFilterException(detail=f"{name} must be compared to a string.")
    return condition(value) if is_storable(value) else _NOTHING


def _terms(node: FilterNode) -> Iterator[Comparison]:
    match node:
        case Comparison(op=CompareOperator.eq):
            yield node
        case LogicalExpr(op=LogicalOperator.and_, terms=terms):
            for term in terms:
                yield from _terms(term)
        case _:
            raise InvalidFilterException(detail="Filters can only contain eq and and.")
