"""Looking for rules by the names of their subjects, roles and scopes."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Q

from accessrules.authorization import scope_policy
from accessrules.authorization.authority import Authority
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.models import AccessRule, AccessRuleQuerySet, Role, Scope, Subject
from runai_access.db.expressions import InArray, SQLiteNoIndexHint
from runai_access.db.keys import KeySubquery
from runai_access.db.normalization import normalize, normalize_term
from runai_access.lists.selection import ListFilter

_MAX_SUBJECTS = 6_000

Finder = Callable[[str, int], KeySubquery | None]
_finders: dict[str, Finder] = {}


def register_finder(type_: Subject.Type, find: Finder) -> None:
    """Say how an index finds the subjects of that type with a folded text in their names.

    It may find others too, and answers None where no index helps, or finds more than so many. Apps
    that own subjects say so; this one knows none of them.
    """
    _finders[type_] = find


def rules_matching(text: str, authority: Authority) -> AccessRuleQuerySet | None:
    """Return the living rules in sight whose role or scope has `text` in its name, if any could."""
    role_ids, scope_ids = roles_named(text), scopes_named(text, authority)
    if not role_ids and not scope_ids:
        return None
    named = Q(role__in=role_ids) | Q(InArray("scope", scope_ids))
    return authority.visible_rules().living().filter(named)


def search(text: str, authority: Authority) -> ListFilter:
    """Return what leaves the rules whose subject, role or scope has `text` in its name."""
    term = normalize_term(text)
    role_ids, scope_ids = roles_named(text), scopes_named(text, authority)
    seen = rules_to_find(authority)
    condition = (
        Q(subject_name__contains=term)
        | Q(InArray(SQLiteNoIndexHint(F("role")), role_ids))
        | Q(InArray(SQLiteNoIndexHint(F("scope")), scope_ids))
    )
    keys = keys_of_subjects(seen, term)
    if role_ids:
        keys |= KeySubquery.of(seen.filter(role__in=role_ids))
    if scope_ids:
        keys |= KeySubquery.of(seen.filter(InArray("scope", scope_ids)))
    return ListFilter(condition, keys)


def keys_of_subjects(rules: AccessRuleQuerySet, term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return where those of `rules` are found whose subjects have a folded text in their names.

    Only some where the subjects are so many that a page of their rules is met soon.
    """
    subjects = _subjects_named(term)
    if not subjects:
        return KeySubquery(is_exact=is_exact)
    is_whole = len(subjects) <= _MAX_SUBJECTS
    named = rules.filter(InArray("subject", subjects))
    return KeySubquery.of(named, is_exact=is_exact, is_whole=is_whole)


def _subjects_named(term: str) -> list[Any]:
    """Return the ids, as the database holds them, of those with a folded text in their names."""
    named = Subject.objects.filter(folded_name__contains=term)
    keys = KeySubquery.of(named)
    found = [find(term, _MAX_SUBJECTS) for find in _finders.values()]
    indexed = reduce(or_, found, KeySubquery()).first(_MAX_SUBJECTS + 1) if all(found) else None
    if indexed is not None and len(indexed) <= _MAX_SUBJECTS:
        others = [type_ for type_ in Subject.Type if type_ not in _finders]
        # Of the living, because those have an index by type.
        others_named = named.living().filter(type__in=others)
        keys = KeySubquery.of(named.filter(InArray("pk", indexed))) | KeySubquery.of(others_named)
    return keys.first(_MAX_SUBJECTS + 1)


def rules_to_find(authority: Authority) -> AccessRuleQuerySet:
    """Return the living rules in which a filter's index searches: all the visible ones.

    If the caller cannot see every rule, this returns all rules: `permission_filter` removes the rest,
    and testing the scope of each rule here would cost the index its advantage.
    """
    seen = authority.visible_rules() if sees_all_rules(authority) else AccessRule.objects.all()
    return seen.living()


def permission_filter(authority: Authority) -> ListFilter:
    """Return where the rules in sight are found, for whoever does not see them all."""
    keys = KeySubquery.of(authority.visible_rules(by_scope=True).living())
    return ListFilter(Q(), keys, among=AccessRule.objects.living())


def roles_named(text: str) -> list[int]:
    """Return the ids of the roles that have `text` in their names."""
    term = normalize_term(text)
    return [pk for pk, name in Role.objects.values_list("pk", "name") if term in normalize(name)]


def roles_saying(text: str) -> list[int]:
    """Return the ids of the roles that have `text` in their names or descriptions."""
    term = normalize_term(text)
    rows = Role.objects.values_list("pk", "name", "description")
    return [pk for pk, *texts in rows if term in normalize("\0".join(texts))]


def names_matching(names: Iterable[tuple[int, str]], operator: str, term: str) -> list[int]:
    """Return the ids of the names that contain, start with or are a folded text."""
    if operator == "contains":
        return [pk for pk, name in names if term in normalize(name)]
    if operator == "starts_with":
        return [pk for pk, name in names if normalize(name).startswith(term)]
    return [pk for pk, name in names if normalize(name) == term]


def scopes_saying(text: str, authority: Authority) -> list[int]:
    """Return the ids of the scopes in sight that have `text` in their names or ids."""
    term = normalize_term(text)
    rows = scope_policy.visible_scopes(authority).values_list("pk", "name", "uid")
    return [pk for pk, name, uid in rows if term in normalize(name) or term in normalize(uid)]


def scopes_named(text: str, authority: Authority) -> list[int]:
    """Return the ids of the scopes with `text` in their names, as far as their rules are in sight.

    Roles and scopes are few, so their names are folded and looked through here.
    """
    term = normalize_term(text)
    seen = Scope.objects.at_or_below(authority.scope_roots("read", "access_rules"))
    names = seen.order_by().values_list("pk", "name")
    return [pk for pk, name in names if term in normalize(name)]
