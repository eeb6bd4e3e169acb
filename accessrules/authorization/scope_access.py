"""Access to a scope: the rules in it and above it, ordered by the names of their subjects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accessrules.authorization.authority import ACCOUNT, Authority
from accessrules.authorization.catalog import ACCOUNT_ONLY
from accessrules.authorization.effective_access import Access, actions_by_type, visible_members
from accessrules.authorization.grants import permissions_of
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.db.expressions import BinaryCollation, InArray, SQLiteNoIndexHint
from runai_access.db.normalization import normalize_term

_BATCH_SIZE = 500


@dataclass(frozen=True)
class AccessFilter:
    """A filter on the access to a scope. Empty fields match everything."""

    action: str = ""
    resource_type: str = ""
    name: str = ""


class SubjectRule(NamedTuple):
    """A subject's normalized name and id, and the id of a rule that applies to it."""

    name: str
    subject: UUID
    rule: int


class SubjectsWithAccess:
    """The subjects with access to a scope and the rules that grant it, ordered by name.

    Each visible member of a group has one row for each of the group's rules. The rows are a merge of
    the index orders of the scope and its ancestors.
    """

    def __init__(self, scope: Scope, authority: Authority, access_filter: AccessFilter) -> None:
        self._authority, self._access_filter = authority, access_filter
        paths = [*scope.ancestor_paths, scope.path]
        if access_filter.resource_type in ACCOUNT_ONLY:
            paths = [path for path in paths if ACCOUNT.path.startswith(path)]
        scopes = list(Scope.objects.filter(path__in=paths).values_list("pk", flat=True))
        self._roles = _roles_that_permit(access_filter)
        self._parts = [*(self._own([pk]) for pk in scopes), self._of_members(scopes)]

    def some(self, start: int, number: int) -> list[SubjectRule]:
        """Return `number` rows from offset `start`."""
        parts = (map(SubjectRule._make, part[: start + number]) for part in self._parts)
        return list(islice(merge(*parts), start, start + number))

    def count(self) -> int:
        """Return the number of rows."""
        return sum(part.order_by().count() for part in self._parts)

    def __iter__(self) -> Iterator[SubjectRule]:
        parts = (part.iterator(chunk_size=_BATCH_SIZE) for part in self._parts)
        return merge(*(map(SubjectRule._make, part) for part in parts))

    def _own(self, scopes: list[int]) -> QuerySet[AccessRule, Any]:
        rules = self._rules(scopes)
        if self._access_filter.name:
            rules = rules.filter(subject_name__contains=normalize_term(self._access_filter.name))
        return _in_order(rules, "subject_name", "subject")

    def _of_members(self, scopes: list[int]) -> QuerySet[AccessRule, Any]:
        # One filter() call, so that all conditions apply to the same member.
        rules = self._rules(scopes).filter(
            subject__type=Subject.Type.GROUP,
            subject__memberships__in=visible_members(self._authority).values("pk"),
            subject__memberships__member__enabled=True,
            subject__memberships__member__normalized_name__contains=normalize_term(
                self._access_filter.name
            ),
        )
        member = "subject__memberships__member"
        return _in_order(rules, f"{member}__normalized_name", member)

    def _rules(self, scopes: list[int]) -> QuerySet[AccessRule]:
        # Use the index on scopes: most roles match, so the index on roles is not selective.
        permitting = Q(InArray(SQLiteNoIndexHint(F("role")), self._roles))
        in_force = self._authority.visible_rules().unexpired()
        return in_force.filter(permitting, scope__in=scopes, subject__enabled=True)


def access_of(found: Iterable[SubjectRule], access_filter: AccessFilter) -> list[Access]:
    """Return the matching access of rows of `SubjectsWithAccess`. Two queries."""
    found = list(found)
    subjects = Subject.objects.in_bulk({row.subject for row in found})
    rules = AccessRule.objects.select_related("subject", "role", "scope").in_bulk(
        {row.rule for row in found}
    )
    return [
        Access(subjects[row.subject], resource_type, actions, rules[row.rule])
        for row in found
        for resource_type, actions in actions_by_type(rules[row.rule]).items()
        if access_filter.resource_type in ("", resource_type)
        and (not access_filter.action or access_filter.action in actions)
    ]


def _in_order(
    rules: QuerySet[AccessRule], name: str, subject: str
) -> QuerySet[AccessRule, tuple[Any, ...]]:
    return rules.order_by(BinaryCollation(F(name)), subject, "pk").values_list(name, subject, "pk")


def _roles_that_permit(access_filter: AccessFilter) -> list[int]:
    return [
        role.pk
        for role in Role.objects.all()
        if any(
            access_filter.action in ("", action)
            and access_filter.resource_type in ("", resource_type)
            for action, resource_type in permissions_of(role)
        )
    ]
