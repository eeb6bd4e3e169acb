"""Search over applications: name, client ID, creator, and the roles and scopes of their rules.

What is found is just what a plain search for a substring finds. Texts of three characters and more
are looked up in an index of trigrams; role and scope names in their own small tables, from where the
rules lead to the applications.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from accessrules.authorization.authority import ACCOUNT, Authority
from accessrules.console.filters.search import roles_named, scopes_named
from accessrules.models import AccessRule, AccessRuleQuerySet
from applications.models import Application
from runai_access.db.expressions import InArray, SQLiteNoIndexHint
from runai_access.db.keys import CoveringIndexScan, KeySubquery
from runai_access.db.normalization import normalize_term
from runai_access.lists import selection
from runai_access.lists.selection import ListFilter

_TRIGRAM = 3
# More roles or scopes than these are not merged, since the range of each is looked into.
_MERGED = 200


def search(text: str, authority: Authority) -> ListFilter:
    """Return what leaves the applications that `text` is found in, as far as rules are in sight."""
    term = normalize_term(text)
    roles, scopes = roles_named(text), scopes_named(text, authority)
    if not roles and not scopes:
        return ListFilter(Q(has_text(term)), keys_with_text(term))
    condition, keys = _by_text(term)
    seen = authority.visible_rules().living()
    if roles:
        keys |= keys_by_rules(seen, "role", roles)
    if scopes:
        keys |= keys_by_rules(AccessRule.objects.living(), "scope", scopes)
    named = Q(role__in=roles) | Q(InArray(SQLiteNoIndexHint(F("scope")), scopes))
    condition |= Q(Exists(seen.filter(named, subject=OuterRef("pk"))))
    return ListFilter(condition, keys)


def _by_text(term: str) -> tuple[Q, KeySubquery]:
    """Return the condition that a term stands in the search text, and where such are found.

    If they are few, those are what is asked for: rules lead to the others without a look at texts.
    """
    condition, keys = Q(has_text(term)), keys_with_text(term)
    if len(term) < _TRIGRAM or not keys.is_exact:
        return condition, keys
    found = keys.few(selection.MAX_SORTED_CANDIDATES)
    if found is None:
        return condition, keys
    return Q(InArray("pk", found)), KeySubquery.known(found)


def permission_filter(authority: Authority) -> ListFilter:
    """Return where the applications in sight are found, for whoever does not see them all."""
    keys = keys_by_rules(AccessRule.objects.living(), "scope", authority.scopes_to_read("apps"))
    return ListFilter(Q(), keys, among=Application.objects.all())


def sees_kept_rule(authority: Authority) -> bool:
    """Return whether the rule that is kept as an application's first is its first in sight."""
    return authority.scope_roots("read", "access_rules") == (ACCOUNT.path,)


def keys_by_rules(rules: AccessRuleQuerySet, field: str, keys: Sequence[int]) -> KeySubquery:
    """Return where the applications are found that hold one of `rules` whose role, or scope, is one of
    `keys`: an index has the rules of each one in the usual order of applications."""
    different = tuple(dict.fromkeys(keys))
    if not 0 < len(different) <= _MERGED:
        return keys_of_holders(rules.filter(InArray(field, different)))
    is_one = len(different) == 1
    return KeySubquery.in_order(
        CoveringIndexScan(
            _of_applications(rules.filter(**{field: different[0]}) if is_one else rules),
            key="subject_id",
            value="application_created_at",
            column="created_at",
            behind="deleted_at",
            choice="" if is_one else field,
            choices=() if is_one else different,
        )
    )


def keys_of_holders(rules: AccessRuleQuerySet) -> KeySubquery:
    """Return where the applications are found that hold one of `rules`."""
    return KeySubquery.of(_of_applications(rules), "subject_id")


def _of_applications(rules: AccessRuleQuerySet) -> AccessRuleQuerySet:
    """Leave out the rules of people and groups."""
    return rules.filter(application_created_at__isnull=False)


def has_text(term: str) -> GreaterThan:
    """Return the condition that a folded text stands in the search text: asked row by row."""
    return GreaterThan(StrIndex(F("search_text"), Value(term)), 0)


def keys_with_text(term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return where the applications are found with a folded text in their search text."""
    if connection.vendor == "postgresql":
        return _by_texts(term, is_exact=is_exact)
    if len(term) < _TRIGRAM:
        return KeySubquery.of(Application.objects.filter(has_text(term)), is_exact=is_exact)
    head = _head(term)
    if head != term and not _are_more_than(selection.MAX_SORTED_CANDIDATES, head):
        return _by_trigrams(head, is_exact=False)
    return _by_trigrams(term, is_exact=is_exact)


def _head(term: str) -> str:
    """Return what to ask an index of trigrams for: of an address, what stands before its domain.

    Most have the same domain, and for each that has the rest its trigrams would be looked up as well.
    """
    head = term[: term.find("@") + 1]
    return head if len(head) >= _TRIGRAM else term


def keys_of_name(term: str, most: int) -> KeySubquery | None:
    """Return where those with a folded text in their names are found, and some others.

    None where it is too short for the index, or SQLite's finds more than `most`.
    """
    if len(term) < _TRIGRAM or _are_more_than(most, _head(term)):
        return None
    return keys_with_text(term, is_exact=False)


def _are_more_than(most: int, term: str) -> bool:
    """Return whether SQLite's index finds more; PostgreSQL would have to look at their texts."""
    if connection.vendor != "sqlite":
        return False
    number, _ = _by_trigrams(term).count(most + 1)
    return number > most


def _by_texts(term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return where PostgreSQL finds them, by its index of trigrams if that takes less than a look at
    one after the other: it judges so by itself."""
    conditions, parameters = [], []
    head = _head(term) if len(term) >= _TRIGRAM else ""
    if head:
        conditions.append("text LIKE %s")
        parameters.append(f"%{connection.ops.prep_for_like_query(head)}%")
    if head != term or not head:
        conditions.append("strpos(text, %s) > 0")
        parameters.append(term)
    sql = f"SELECT application_id FROM applications_search WHERE {' AND '.join(conditions)}"  # noqa: S608
    return KeySubquery(((sql, tuple(parameters)),), is_exact, is_distinct=True)


def _by_trigrams(term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return where SQLite's index finds them. It tells how many sooner than which."""
    doubled = term.replace('"', '""')
    phrase = (f'"{doubled}"',)
    counted = (_COUNTED_BY_TRIGRAMS, phrase)
    return KeySubquery(((_BY_TRIGRAMS, phrase),), is_exact, is_distinct=True, counted=counted)


_BY_TRIGRAMS = """SELECT found.application_id FROM applications_search_index
    CROSS JOIN applications_search found ON found.id = applications_search_index.rowid
    WHERE applications_search_index MATCH %s"""
_COUNTED_BY_TRIGRAMS = """SELECT 1 FROM applications_search_index
    WHERE applications_search_index MATCH %s"""
