"""Search for access rules by the names of their subjects, roles and scopes."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from accessrules.authorization import scope_policy
from accessrules.authorization.authority import SYSTEM, Authority
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.models import (
    AccessRule,
    AccessRuleQuerySet,
    Role,
    RuleCount,
    Scope,
    Subject,
    SubjectQuerySet,
)
from runai_access.db.bigrams import HasBigram, has_bigram_index
from runai_access.db.expressions import InArray, SQLiteNoIndexHint
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize, normalize_term
from runai_access.lists.operators import COMPARISONS
from runai_access.lists.selection import ListFilter

_MAX_SUBJECTS = 12_000

Finder = Callable[[str, int], KeySubquery | None]
_finders: dict[str, Finder] = {}


def register_finder(type_: Subject.Type, find: Finder) -> None:
    """Register how to find subjects of a type by a normalized text in their names, with an index.

    `find(term, limit)` can return false positives, and None if no index applies or more than `limit`
    match. Apps that own subjects register their finders, because this app cannot import them.
    """
    _finders[type_] = find


def rules_matching(text: str, authority: Authority) -> AccessRuleQuerySet:
    """Return the visible rules whose role or scope name contains `text`, to test those of a subject."""
    role_ids, scope_ids = roles_named(text), scopes_named(text, authority)
    if not role_ids and not scope_ids:
        return AccessRule.objects.none()
    named = Q(role__in=role_ids) | Q(InArray(SQLiteNoIndexHint(F("scope")), scope_ids))
    return authority.visible_rules().living().filter(named)


def search(text: str, authority: Authority) -> ListFilter:
    """Return the filter for rules whose subject, role or scope name contains `text`."""
    term = normalize_term(text)
    role_ids, scope_ids = roles_named(text), scopes_named(text, authority)
    condition = (
        Q(subject_name__contains=term)
        | Q(InArray(SQLiteNoIndexHint(F("role")), role_ids))
        | Q(InArray(SQLiteNoIndexHint(F("scope")), scope_ids))
    )
    keys = keys_of_subjects(authority, term)
    if keys is None:
        return ListFilter(condition, keys_of_visible(authority, condition))
    rules = rules_to_find(authority)
    if role_ids:
        keys |= KeySubquery.of(rules.filter(role__in=role_ids))
    if scope_ids:
        keys |= KeySubquery.of(rules.filter(InArray("scope", scope_ids)))
    return ListFilter(condition, keys)


def keys_of_subjects(
    authority: Authority, term: str, *, is_exact: bool = True
) -> KeySubquery | None:
    """Return the keys of rules whose subject name contains the normalized `term`.

    Not whole if more than _MAX_SUBJECTS subjects match: then a scan fills a page quickly. None for a
    caller who sees a part of the rules, if no index finds the subjects: see `keys_of_visible`.
    """
    subjects = _indexed_subjects(term)
    if subjects is None:
        if not sees_all_rules(authority):
            return None
        subjects = KeySubquery.of(_named(term)).first(_MAX_SUBJECTS + 1)
    if not subjects:
        return KeySubquery(is_exact=is_exact)
    is_whole = len(subjects) <= _MAX_SUBJECTS
    named = rules_to_find(authority).filter(InArray("subject", subjects))
    return KeySubquery.of(named, is_exact=is_exact, is_whole=is_whole)


def keys_of_visible(authority: Authority, condition: Q) -> KeySubquery:
    """Return the keys of rules that match, for a caller who sees a part of them.

    Each visible rule is tested, because testing the names of all subjects would take longer.
    """
    rules = authority.visible_rules(by_scope=True).living()
    return replace(KeySubquery.of(rules.filter(condition)), is_scan=True)


def _indexed_subjects(term: str) -> list[Any] | None:
    """Return the database ids of subjects whose name contains the normalized `term`.

    None if no index applies, or if more than _MAX_SUBJECTS match.
    """
    if has_bigram_index(term):
        named = KeySubquery.of(_named(term)).first(_MAX_SUBJECTS + 1)
        return named if len(named) <= _MAX_SUBJECTS else None
    found = [find(term, _MAX_SUBJECTS) for find in _finders.values()]
    if not all(found):
        return None
    indexed = reduce(or_, found, KeySubquery()).first(_MAX_SUBJECTS + 1)
    if len(indexed) > _MAX_SUBJECTS:
        return None
    others = [type_ for type_ in Subject.Type if type_ not in _finders]
    # Active subjects only, because the index on types covers those.
    others_named = _named(term).living().filter(type__in=others)
    keys = KeySubquery.of(_named(term).filter(InArray("pk", indexed))) | KeySubquery.of(
        others_named
    )
    return keys.first(_MAX_SUBJECTS + 1)


def _named(term: str) -> SubjectQuerySet:
    if has_bigram_index(term):
        return Subject.objects.filter(HasBigram("normalized_name", term))
    return Subject.objects.filter(normalized_name__contains=term)


def rules_to_find(authority: Authority) -> AccessRuleQuerySet:
    """Return the rules for the index subqueries of filters.

    If the caller can't see all rules, this still returns all: `permission_filter` removes the others,
    and a condition on the scope here would make the index useless.
    """
    rules = authority.visible_rules() if sees_all_rules(authority) else AccessRule.objects.all()
    return rules.living()


def count_rules(authority: Authority) -> int:
    """Return the number of living rules, for callers who see all of them."""
    return int(_counts(authority).aggregate(number=Sum("number", default=0))["number"])


def count_rules_by(authority: Authority, column: str) -> dict[Any, int]:
    """Return the number of living rules by a column of their role or scope, for the same callers."""
    path = {"role_name": "role__name", "scope_name": "scope__name"}.get(column, column)
    return dict(_counts(authority).values_list(path).annotate(Sum("number")))


def visible_groups(authority: Authority, reference: str) -> list[int] | None:
    """Return the scopes whose rules are visible; None if that is not limited, as for roles."""
    if reference != "scope" or sees_all_rules(authority):
        return None
    return authority.scopes_to_read("access_rules")


def _counts(authority: Authority) -> QuerySet[RuleCount]:
    if authority.allows("read", "access_rules", SYSTEM):
        return RuleCount.objects.all()
    return RuleCount.objects.exclude(scope__in=Scope.objects.above_the_account())


def deleted_rules(authority: Authority) -> AccessRuleQuerySet:
    """Return the deleted rules; if the caller can't see all, `deleted_permission_filter` is needed."""
    rules = authority.visible_rules() if sees_all_rules(authority) else AccessRule.objects.all()
    return rules.deleted()


def deleted_permission_filter(authority: Authority) -> ListFilter | None:
    """Return the filter for visible deleted rules, or None if the caller sees all of them."""
    if sees_all_rules(authority):
        return None
    scopes = authority.scopes_to_read("access_rules")
    return ListFilter(Q(InArray(SQLiteNoIndexHint(F("scope")), scopes)))


def permission_filter(authority: Authority) -> ListFilter | None:
    """Return the filter for visible rules, or None if the caller sees all of them."""
    if sees_all_rules(authority):
        return None
    rules = authority.visible_rules(by_scope=True).living()
    return ListFilter(Q(), KeySubquery.of(rules), among=AccessRule.objects.living(), rows=rules)


def roles_named(text: str) -> list[int]:
    """Return the ids of roles whose name contains `text`."""
    return _containing(text, Role.objects.values_list("pk", "name"))


def search_roles(text: str, _: Authority) -> ListFilter:
    """Return the filter for roles whose name or description contains `text`."""
    rows = Role.objects.values_list("pk", "name", "description")
    return ListFilter(Q(pk__in=_containing(text, rows)))


def names_matching(names: Iterable[tuple[int, str]], test: str, term: str) -> list[int]:
    """Return the ids of the names that match the normalized `term`; `test` is that of an operator."""
    matches = COMPARISONS[test]
    return [pk for pk, name in names if matches(normalize(name), term)]


def search_scopes(text: str, authority: Authority) -> ListFilter:
    """Return the filter for visible scopes whose name or id contains `text`."""
    rows = scope_policy.visible_scopes(authority).values_list("pk", "name", "uid")
    return ListFilter(Q(InArray("pk", _containing(text, rows))))


def scopes_named(text: str, authority: Authority) -> list[int]:
    """Return the ids of scopes whose name contains `text` and whose rules the caller can read."""
    scopes = Scope.objects.at_or_below(authority.scope_roots("read", "access_rules"))
    return _containing(text, scopes.order_by().values_list("pk", "name"))


def _containing(text: str, rows: Iterable[tuple[Any, ...]]) -> list[int]:
    """Return the ids of the rows with `text` in one of their texts, compared in normalized form.

    There are few roles and scopes, so Python compares them.
    """
    term = normalize_term(text)
    return [pk for pk, *texts in rows if term in normalize("\0".join(texts))]
