"""SCIM filters: comparisons with `eq`, joined by `and`, of attributes that have an index."""

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.db.models import Q
from scim2_models import InvalidFilterException
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ScimFilter,
)

from accessrules.models import Subject
from runai_access.accounts.models import User
from runai_access.db.normalization import is_storable

Conditions = Mapping[str, Callable[[str], Q]]
_NOTHING = Q(pk__in=[])


def _has_id(field: str) -> Callable[[str], Q]:
    """Return a condition for IDs, which no malformed ID matches."""

    def condition(text: str) -> Q:
        try:
            return Q(**{field: UUID(text)})
        except ValueError:
            return _NOTHING

    return condition


def _has_email(text: str) -> Q:
    return Q(pk__in=User.objects.with_email(text).values("pk"))


def _has_name(text: str) -> Q:
    groups = Subject.objects.living().filter(type=Subject.Type.GROUP)
    return Q(pk__in=groups.same_name(text).values("pk"))


OF_USERS: Conditions = {
    "id": _has_id("pk"),
    "userName": _has_email,
    "emails": _has_email,
    "emails.value": _has_email,
    "externalId": lambda text: Q(subject__external_id__value=text),
    "groups": _has_id("subject__group_memberships__group"),
    "groups.value": _has_id("subject__group_memberships__group"),
}
OF_GROUPS: Conditions = {
    "id": _has_id("pk"),
    "displayName": _has_name,
    "externalId": lambda text: Q(external_id__value=text),
    "members": _has_id("memberships__member"),
    "members.value": _has_id("memberships__member"),
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
