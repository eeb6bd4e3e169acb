"""The rules of those who hold them, as their table shows, sorts and exports them.

"Those" are rows whose primary key is their subject's: applications, people, groups.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from accessrules.authorization import Authority
from accessrules.models import AccessRule, AccessRuleQuerySet
from runai_access.folding import fold
from runai_access.ui.keyset import Bytewise, Sort
from runai_access.ui.narrowing import Among, AsStored

Holders = TypeVar("Holders", bound=QuerySet[Any])


def with_rules(holders: Holders, path: str, authority: Authority) -> Holders:
    """Bring the rules of each, as far as in sight: `visible_rules` of the subject at `path`.

    Of the rules comes what names them: a page has hundreds.
    """
    named = ("subject", "role", "role__name", "scope", "scope__name", "scope__type")
    rules = _rules(authority).select_related("role", "scope").only(*named)
    relation = f"{path}__access_rules" if path else "access_rules"
    return holders.prefetch_related(Prefetch(relation, rules, to_attr="visible_rules"))


def found_first(rules: Iterable[AccessRule], search: str) -> list[AccessRule]:
    """Return `rules`, those first that a search for `search` has found."""
    term = fold(search)
    if not term:
        return list(rules)
    return sorted(rules, key=lambda rule: term not in fold(f"{rule.role}\n{rule.scope}"))


def by_first_rule(authority: Authority) -> Sort:
    """Sort by the first rule as the cell names it; those without one come first."""
    texts = (
        _rules(authority)
        .filter(subject=OuterRef("pk"))
        .annotate(text=Concat("role__name", Value(" in "), "scope__name"))
    )
    return Sort(Bytewise(Subquery(texts.values("text")[:1])), is_nullable=True)


def rule_texts(keys: list[Any], authority: Authority) -> dict[Any, list[str]]:
    """Return the rules of each as `Role in Scope`, by keys as the database holds them. One query."""
    texts: defaultdict[Any, list[str]] = defaultdict(list)
    rules = _rules(authority).filter(Among("subject", keys))
    for key, role, scope in rules.values_list(AsStored("subject"), "role__name", "scope__name"):
        texts[key].append(f"{role} in {scope}")
    return texts


def _rules(authority: Authority) -> AccessRuleQuerySet:
    return authority.visible_rules().living().order_by("pk")
