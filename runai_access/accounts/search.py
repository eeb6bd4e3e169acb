"""Search for users and groups by name, creator, and the roles and scopes of their rules."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrules.authorization.authority import Authority
from accessrules.console.filters.search import rules_matching
from runai_access.accounts.models import Group, User
from runai_access.db.normalization import normalize_term


def search_users(users: QuerySet[User], text: str, authority: Authority) -> QuerySet[User]:
    """Return the users that match `text`, by themselves or through visible rules."""
    return users.filter(Q(search_text__contains=normalize_term(text)) | _by_rules(text, authority))


def search_groups(groups: QuerySet[Group], text: str, authority: Authority) -> QuerySet[Group]:
    """Return the groups that match `text`, by themselves or through visible rules."""
    return groups.filter(
        Q(normalized_name__contains=normalize_term(text)) | _by_rules(text, authority)
    )


def _by_rules(text: str, authority: Authority) -> Q:
    rules = rules_matching(text, authority)
    return Q(Exists(rules.filter(subject=OuterRef("pk")))) if rules is not None else Q(pk__in=[])
