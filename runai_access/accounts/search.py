"""Search for users and groups by name, creator, and the roles and scopes of their rules."""

from django.db.models import Exists, OuterRef, Q

from accessrules.authorization.authority import Authority
from accessrules.filters.search import rules_matching
from runai_access.db.normalization import normalize_term
from runai_access.lists.selection import ListFilter


def search_users(text: str, authority: Authority) -> ListFilter:
    """Return the filter for users that match `text`, by themselves or through visible rules."""
    by_text = Q(search_text__contains=normalize_term(text))
    return ListFilter(by_text | _by_rules(text, authority))


def search_groups(text: str, authority: Authority) -> ListFilter:
    """Return the filter for groups that match `text`, by themselves or through visible rules."""
    by_text = Q(normalized_name__contains=normalize_term(text))
    return ListFilter(by_text | _by_rules(text, authority))


def _by_rules(text: str, authority: Authority) -> Q:
    rules = rules_matching(text, authority)
    return Q(Exists(rules.filter(subject=OuterRef("pk")))) if rules is not None else Q(pk__in=[])
