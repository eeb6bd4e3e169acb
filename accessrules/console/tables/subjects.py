"""The rules of those who hold them, as their table shows, sorts and exports them.

"Those" are rows whose primary key is their subject's: applications, people, groups.
"""

from collections import defaultdict
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Concat
from django.utils.functional import cached_property

from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.models import AccessRuleQuerySet
from runai_access.db.expressions import AsStored, BinaryCollation, InArray
from runai_access.db.keys import as_stored
from runai_access.db.normalization import normalize, normalize_term
from runai_access.lists.keyset import Sort
from runai_access.lists.tables import ListTable


class NamedRule(NamedTuple):
    """A rule by the names that tell it."""

    role: str
    scope: str


class SubjectTable(ListTable):
    """A table of those who hold rules. Who asks is an `Authority`."""

    @cached_property
    def sees_all_rules(self) -> bool:
        """Whether no rule is out of sight of whoever asks."""
        return sees_all_rules(self.authority)

    def rules_of(self, holder: Any) -> list[NamedRule]:
        """Return the rules of a row, as far as in sight; those first that the search has found."""
        rules = self._rules.get(holder.pk, [])
        return _found_first(rules, normalize_term(self.search)) if self.search else rules

    @cached_property
    def _rules(self) -> dict[UUID, list[NamedRule]]:
        return named_rules([record.pk for record in self.data], self.authority)


def _found_first(rules: list[NamedRule], term: str) -> list[NamedRule]:
    return sorted(rules, key=lambda rule: term not in normalize(f"{rule.role}\n{rule.scope}"))


def named_rules(holders: list[UUID], authority: Authority) -> dict[UUID, list[NamedRule]]:
    """Return the rules of each, as far as in sight, by its key. One query, and a model for none of
    them: a page has hundreds."""
    holder_of = dict(zip(as_stored(holders), holders, strict=True))
    found: dict[Any, list[NamedRule]] = {key: [] for key in holder_of}
    rules = _rules(authority).filter(InArray("subject", list(found)))
    for key, role, scope in rules.values_list(AsStored("subject"), "role__name", "scope__name"):
        found[key].append(NamedRule(role, scope))
    return {holder_of[key]: named for key, named in found.items()}


def by_first_rule(authority: Authority) -> Sort:
    """Sort by the first rule as the cell names it; those without one come first."""
    texts = (
        _rules(authority)
        .filter(subject=OuterRef("pk"))
        .annotate(text=Concat("role__name", Value(" in "), "scope__name"))
    )
    return Sort(BinaryCollation(Subquery(texts.values("text")[:1])), is_nullable=True)


def rule_texts(keys: list[Any], authority: Authority) -> dict[Any, list[str]]:
    """Return the rules of each as `Role in Scope`, by keys as the database holds them. One query."""
    texts: defaultdict[Any, list[str]] = defaultdict(list)
    rules = _rules(authority).filter(InArray("subject", keys))
    for key, role, scope in rules.values_list(AsStored("subject"), "role__name", "scope__name"):
        texts[key].append(f"{role} in {scope}")
    return texts


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().order_by("pk")
