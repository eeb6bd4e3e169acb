"""Numbers of descendants and access rules of each visible scope."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from accessrules.authorization import scope_policy
from accessrules.authorization.authority import Authority
from accessrules.models import AccessRuleQuerySet, Scope


def scopes_below(authority: Authority, pks: Iterable[int]) -> dict[int, int]:
    """Return the number of descendants of each of these scopes."""
    visible = scope_policy.visible_scopes(authority).order_by()
    paths = sorted(visible.values_list("path", flat=True))
    return {
        pk: bisect_left(paths, f"{path}a") - bisect_right(paths, path)
        for pk, path in _scopes(pks).values_list("pk", "path")
    }


def rules_in(authority: Authority, pks: Iterable[int]) -> dict[int, int]:
    """Return the number of access rules in each of these scopes."""
    return _of_each(pks, number_of_rules(authority))


def number_of_scopes_below(authority: Authority) -> Coalesce:
    """Return the number of descendants as an expression to sort by."""
    path = OuterRef("path")
    # "a" sorts after every digit, so the range is exactly the paths with this prefix.
    # Visible ones by their keys: SQLite would use the index for their many conditions instead.
    visible = scope_policy.visible_scopes(authority).order_by().values("pk")
    below = Scope.objects.filter(path__gt=path, path__lt=Concat(path, Value("a")), pk__in=visible)
    return _number(below.annotate(all=Value(1)), "all")


def number_of_rules(authority: Authority) -> Coalesce:
    """Return the number of access rules as an expression to sort by."""
    return _number(_rules(authority).filter(scope=OuterRef("pk")), "scope")


def _rules(authority: Authority) -> AccessRuleQuerySet:
    # The console never shows the scope above the account.
    return authority.visible_rules(by_scope=True, in_account=True).living()


def _of_each(pks: Iterable[int], number: Coalesce) -> dict[int, int]:
    # A subquery for each scope is twice as fast as GROUP BY over all rules.
    return dict(_scopes(pks).values_list("pk", number))


def _scopes(pks: Iterable[int]) -> QuerySet[Scope]:
    return Scope.objects.selectable().filter(pk__in=list(pks)).order_by()


def _number(rows: QuerySet[Any], by: str) -> Coalesce:
    counted = rows.order_by().values(by)
    return Coalesce(Subquery(counted.annotate(number=Count("*")).values("number")), 0)
