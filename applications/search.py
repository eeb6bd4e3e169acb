"""Search for applications by name, creator, owner, description, labels, and their rules.

The search finds exactly the rows that contain the text. Texts of three or more characters use a
trigram index. Those of two use the same one on SQLite, and an index of bigrams on PostgreSQL. Roles and
scopes are found by name in their own small tables, and joined through rules.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import Contains, Exact, GreaterThan

from accessrules.authorization.authority import ACCOUNT, Authority
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.filters.search import roles_named, scopes_named
from accessrules.models import AccessRule, AccessRuleQuerySet, Subject
from applications import policy
from applications.models import Application
from runai_access.db.bigrams import FUNCTION, has_bigram_index
from runai_access.db.expressions import InArray, SQLiteNoIndexHint
from runai_access.db.keys import CoveringIndexScan, KeySubquery
from runai_access.db.normalization import normalize_term
from runai_access.db.normalization_sql import normalized
from runai_access.lists import selection
from runai_access.lists.selection import ListFilter

_TRIGRAM_LENGTH = 3
# The limit of roles or scopes whose index ranges are merged. A merge reads from each range.
_MAX_MERGED_RANGES = 200


def search(text: str, authority: Authority) -> ListFilter:
    """Return a filter for applications that match `text`, by themselves or through visible rules."""
    term = normalize_term(text)
    roles, scopes = roles_named(text), scopes_named(text, authority)
    if not roles and not scopes:
        return ListFilter(has_text(term), keys_with_text(term))
    condition, keys = _text_filter(term)
    visible = authority.visible_rules().living()
    if roles:
        keys |= _keys_by_roles(authority, roles)
    if scopes:
        keys |= keys_by_rules(AccessRule.objects.living(), "scope", scopes)
    matches = Q(role__in=roles) | Q(InArray(SQLiteNoIndexHint(F("scope")), scopes))
    condition |= Q(Exists(visible.filter(matches, subject=OuterRef("pk"))))
    return ListFilter(condition, keys)


def search_trash(text: str) -> ListFilter:
    """Return a filter for deleted applications whose name or deleter contains `text`."""
    term = normalize_term(text)
    return ListFilter(Q(Contains(F("name"), term)) | Q(Contains(normalized("deleted_by"), term)))


def _keys_by_roles(authority: Authority, roles: Sequence[int]) -> KeySubquery:
    """Return the keys of applications with a visible rule that has one of these roles.

    If rules are visible in few scopes, most rules with the roles are elsewhere: an index has the roles
    of the rules in a scope.
    """
    scopes = authority.scopes_to_read("access_rules")
    if sees_all_rules(authority) or len(scopes) > _MAX_MERGED_RANGES:
        return keys_by_rules(authority.visible_rules().living(), "role", roles)
    visible = authority.visible_rules(by_scope=True).living()
    of_role = visible.filter(InArray(SQLiteNoIndexHint(F("role")), roles))
    is_application = Exact(SQLiteNoIndexHint(F("subject_type")), Subject.Type.APP.value)
    return KeySubquery.of(of_role.filter(is_application), "subject_id")


def _text_filter(term: str) -> tuple[Q, KeySubquery]:
    """Return the condition that the search text contains a term, and the matching keys.

    If there are few matches, the condition lists their keys, which is faster than comparing texts.
    """
    condition, keys = has_text(term), keys_with_text(term)
    if len(term) < _TRIGRAM_LENGTH or not keys.is_exact:
        return condition, keys
    matches = keys.few(selection.MAX_SORTED_CANDIDATES)
    if matches is None:
        return condition, keys
    return Q(InArray("pk", matches)), KeySubquery.known(matches)


def permission_filter(authority: Authority) -> ListFilter | None:
    """Return a filter for the visible applications, or None if the caller sees all of them."""
    if policy.sees_all(authority):
        return None
    keys = keys_by_rules(AccessRule.objects.living(), "scope", authority.scopes_to_read("apps"))
    owned = owned_by(authority)
    if owned.exists():  # most callers own none, and their list is read from one index
        keys |= KeySubquery.of(owned)
    return ListFilter(Q(), keys, among=Application.objects.all(), is_correlated=True)


def owned_by(authority: Authority) -> QuerySet[Application]:
    """Return the applications that the caller owns, also through a group."""
    return Application.objects.filter(owner__in=authority.owners())


def can_use_first_rule(authority: Authority) -> bool:
    """Return whether the denormalized `first_rule` is right for this caller: all rules are visible."""
    return authority.scope_roots("read", "access_rules") == (ACCOUNT.path,)


def has_visible_rules(authority: Authority) -> bool:
    """Return whether each application that the caller sees has a rule that the caller sees."""
    if policy.sees_all(authority):  # also those without rules
        return False
    readable = authority.scope_roots("read", "access_rules")
    visible = authority.scope_roots("read", "apps")
    return all(root.startswith(readable) for root in visible) and not owned_by(authority).exists()


def keys_by_rules(rules: AccessRuleQuerySet, field: str, keys: Sequence[int]) -> KeySubquery:
    """Return the keys of applications with one of `rules` whose role, or scope, is one of `keys`.

    Uses a covering index that has the rules of each role or scope in the default order.
    """
    unique = tuple(dict.fromkeys(keys))
    if not 0 < len(unique) <= _MAX_MERGED_RANGES:
        return KeySubquery.of(_of_applications(rules.filter(InArray(field, unique))), "subject_id")
    is_single = len(unique) == 1
    return KeySubquery.in_order(
        CoveringIndexScan(
            _of_applications(rules.filter(**{field: unique[0]}) if is_single else rules),
            key="subject_id",
            value="application_created_at",
            column="created_at",
            behind="deleted_at",
            choice="" if is_single else field,
            choices=() if is_single else unique,
        )
    )


def _of_applications(rules: AccessRuleQuerySet) -> AccessRuleQuerySet:
    """Exclude the rules of users and groups."""
    return rules.filter(application_created_at__isnull=False)


def has_text(term: str) -> Q:
    """Return the condition that one of the indexed texts contains a normalized text."""
    return reduce(or_, (Q(contains(column, term)) for column in _INDEXED_TEXTS))


_INDEXED_TEXTS = ("search_text", "searched_details", "owner_name")


def contains(column: str, term: str) -> GreaterThan:
    """Return the condition that a column contains a normalized text. No index supports it."""
    return GreaterThan(StrIndex(F(column), Value(term)), 0)


def keys_with_text(term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return the keys of applications one of whose indexed texts contains a normalized text."""
    if connection.vendor == "postgresql":
        return _postgresql_keys(term, is_exact=is_exact)
    if len(term) == _TRIGRAM_LENGTH - 1 and term.isprintable():
        return _keys_of_two_characters(term, is_exact=is_exact)
    if len(term) < _TRIGRAM_LENGTH:
        scanned = KeySubquery.of(Application.objects.filter(has_text(term)), is_exact=is_exact)
        return replace(scanned, is_scan=True)
    head = _selective_part(term)
    most = selection.MAX_SORTED_CANDIDATES
    if head != term and (not is_exact or _sqlite_keys(head).count(most + 1)[0] <= most):
        return _sqlite_keys(head, is_exact=False)
    return _sqlite_keys(term, is_exact=is_exact)


def _selective_part(term: str) -> str:
    """Return the part of a term to query the trigram index for: of an email, the part up to the "@".

    Most emails have the same domain, so its trigrams match many rows and slow down the query.
    """
    head = term[: term.find("@") + 1]
    return head if len(head) >= _TRIGRAM_LENGTH else term


def keys_of_name(term: str, limit: int) -> KeySubquery | None:
    """Return the keys of applications whose name contains a normalized text, with false positives.

    None if the text is too short for the index, or if SQLite's index finds more than `limit`.
    """
    keys = keys_with_text(term, is_exact=False)
    # PostgreSQL can't count without a scan.
    if keys.tests_all or (connection.vendor == "sqlite" and keys.count(limit + 1)[0] > limit):
        return None
    return keys


def _postgresql_keys(term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return the keys on PostgreSQL. Its planner chooses between the trigram index and a scan."""
    if has_bigram_index(term):
        found = (_BIGRAM_KEYS, (term,))
        return KeySubquery((found,), is_exact, is_distinct=True, is_scan=True, counted=found)
    head = _selective_part(term)
    conditions = ["text LIKE %s"]  # also for short terms: it is faster than `strpos`
    parameters = [f"%{connection.ops.prep_for_like_query(head)}%"]
    if head != term:
        conditions.append("strpos(text, %s) > 0")
        parameters.append(term)
    sql = f"SELECT application_id FROM applications_search WHERE {' AND '.join(conditions)}"  # noqa: S608
    select = (sql, tuple(parameters))
    is_scan = len(term) < _TRIGRAM_LENGTH
    return KeySubquery((select,), is_exact, is_distinct=True, is_scan=is_scan)


def _sqlite_keys(term: str, *, is_exact: bool = True) -> KeySubquery:
    """Return the keys on SQLite, from its trigram index. Counting them needs no join."""
    escaped = term.replace('"', '""')
    phrase = (f'"{escaped}"',)
    counted = (_TRIGRAM_COUNT, phrase)
    return KeySubquery(((_TRIGRAM_KEYS, phrase),), is_exact, is_distinct=True, counted=counted)


def _keys_of_two_characters(term: str, *, is_exact: bool) -> KeySubquery:
    """Return the keys on SQLite from the trigrams that begin with a term.

    Only what ends a text begins no trigram: a mark, or the end of the owner's name.
    """
    parameters = (term, term + chr(sys.maxunicode) * 2, term)
    keys = f"""SELECT found.application_id FROM ({_BIGRAM_IDS}) ids
        CROSS JOIN applications_search found ON found.id = ids.id"""  # noqa: S608  # constants
    counted = (_BIGRAM_IDS, parameters)
    return KeySubquery(
        ((keys, parameters),), is_exact, is_distinct=True, is_scan=True, counted=counted
    )


_BIGRAM_IDS = """SELECT DISTINCT id FROM (
        SELECT doc AS id FROM temp.applications_search_terms WHERE term >= %s AND term < %s
        UNION ALL
        SELECT owned.id FROM applications_application application
        JOIN applications_search owned ON owned.application_id = application.subject_id
        WHERE application.owner_name >= '' AND substr(application.owner_name, -2) = %s)"""


def register_with_sqlite(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Give a new SQLite connection the terms of the search index; see `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.execute(
            """CREATE VIRTUAL TABLE temp.applications_search_terms
            USING fts5vocab(main, applications_search_index, instance)"""
        )


_BIGRAM_KEYS = f"""SELECT application_id FROM applications_search
    WHERE {FUNCTION}(text) @> ARRAY[%s::text]"""  # noqa: S608  # a constant
_TRIGRAM_KEYS = """SELECT found.application_id FROM applications_search_index
    CROSS JOIN applications_search found ON found.id = applications_search_index.rowid
    WHERE applications_search_index MATCH %s"""
_TRIGRAM_COUNT = """SELECT 1 FROM applications_search_index
    WHERE applications_search_index MATCH %s"""
