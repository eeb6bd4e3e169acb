"""Who may do what in a scope: the rules in it and above, in the order of their subjects' names."""

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
class Question:
    """What to look for among those who may do something in a scope; empty means everything."""

    action: str = ""
    resource_type: str = ""
    name: str = ""


class Holding(NamedTuple):
    """A subject, by its name without regard to case and its id, and a rule that holds for it."""

    name: str
    holder: UUID
    rule: int


class Holders:
    """Who holds which rule in a scope, by name. A member of a group has a row of its own for each of
    the group's rules, if it is in sight.

    Each place in which the rules stand has its own order in an index: the first of all are among
    the first of each.
    """

    def __init__(self, scope: Scope, authority: Authority, asked: Question) -> None:
        self._authority, self._asked = authority, asked
        paths = [*scope.ancestor_paths, scope.path]
        if asked.resource_type in ACCOUNT_ONLY:
            paths = [path for path in paths if ACCOUNT.path.startswith(path)]
        places = list(Scope.objects.filter(path__in=paths).values_list("pk", flat=True))
        self._roles = _roles_that_permit(asked)
        self._parts = [*(self._own([place]) for place in places), self._of_members(places)]

    def some(self, start: int, number: int) -> list[Holding]:
        """Return `number` of them from `start` on."""
        parts = (map(Holding._make, part[: start + number]) for part in self._parts)
        return list(islice(merge(*parts), start, start + number))

    def count(self) -> int:
        """Return how many there are."""
        return sum(part.order_by().count() for part in self._parts)

    def __iter__(self) -> Iterator[Holding]:
        parts = (part.iterator(chunk_size=_BATCH_SIZE) for part in self._parts)
        return merge(*(map(Holding._make, part) for part in parts))

    def _own(self, places: list[int]) -> QuerySet[AccessRule, Any]:
        rules = self._rules(places)
        if self._asked.name:
            rules = rules.filter(subject_name__contains=normalize_term(self._asked.name))
        return _in_order(rules, "subject_name", "subject")

    def _of_members(self, places: list[int]) -> QuerySet[AccessRule, Any]:
        # In one filter, or each condition could hold for another member.
        rules = self._rules(places).filter(
            subject__type=Subject.Type.GROUP,
            subject__memberships__in=visible_members(self._authority).values("pk"),
            subject__memberships__member__enabled=True,
            subject__memberships__member__folded_name__contains=normalize_term(self._asked.name),
        )
        member = "subject__memberships__member"
        return _in_order(rules, f"{member}__folded_name", member)

    def _rules(self, places: list[int]) -> QuerySet[AccessRule]:
        # By the index of scopes: most roles permit something, so theirs would find most rules.
        permitting = Q(InArray(SQLiteNoIndexHint(F("role")), self._roles))
        living = self._authority.visible_rules().living()
        return living.filter(permitting, scope__in=places, subject__enabled=True)


def access_of(found: Iterable[Holding], asked: Question) -> list[Access]:
    """Return what rows of `Holders` permit, as far as it is asked for. Two queries."""
    found = list(found)
    subjects = Subject.objects.in_bulk({row.holder for row in found})
    rules = AccessRule.objects.select_related("subject", "role", "scope").in_bulk(
        {row.rule for row in found}
    )
    return [
        Access(subjects[row.holder], resource_type, actions, rules[row.rule])
        for row in found
        for resource_type, actions in actions_by_type(rules[row.rule]).items()
        if asked.resource_type in ("", resource_type)
        and (not asked.action or asked.action in actions)
    ]


def _in_order(
    rules: QuerySet[AccessRule], name: str, holder: str
) -> QuerySet[AccessRule, tuple[Any, ...]]:
    return rules.order_by(BinaryCollation(F(name)), holder, "pk").values_list(name, holder, "pk")


def _roles_that_permit(asked: Question) -> list[int]:
    return [
        role.pk
        for role in Role.objects.all()
        if any(
            asked.action in ("", action) and asked.resource_type in ("", resource_type)
            for action, resource_type in permissions_of(role)
        )
    ]
