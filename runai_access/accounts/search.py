"""Search for users and groups by name, creator, and the roles and scopes of their rules."""

from django.db.models import Exists, OuterRef, Q

from accessrules.authorization.authority import Authority
from accessrules.filters.search import rules_matching
from runai_access.db.normalization import normalize_term
from runai_access.lists.selection import ListFilter


def search_users(text: str, authority: Authority) -> ListFilter:
    """Return the filter for users that match `text`, by themselves or through visible rules."""
    return _search("search_text", text, authority)


def search_groups(text: str, authority: Authority) -> ListFilter:
    """Return the filter for groups that match `text`, by themselves or through visible rules."""
    return _search("normalized_name", text, authority)


def _search(column: str, text: str, authority: Authority) -> ListFilter:
    by_text = Q(**{f"{column}__contains": normalize_term(text)})
    rules = rules_matching(text, authority)
    return ListFilter(by_text | Q(Exists(rules.filter(subject=OuterRef("pk")))))
