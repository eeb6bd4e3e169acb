"""Search over applications: name, client ID, creator, and the roles and scopes of their rules."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrules.authorization import Authority
from accessrules.search import rules_matching
from applications.models import Application
from runai_access.folding import fold


def search(
    applications: QuerySet[Application], text: str, authority: Authority
) -> QuerySet[Application]:
    """Return the applications that `text` is found in, as far as their rules are in sight."""
    condition = Q(search_text__contains=fold(text))
    rules = rules_matching(text, authority)
    if rules is not None:
        condition |= Q(Exists(rules.filter(subject=OuterRef("pk"))))
    return applications.filter(condition)
