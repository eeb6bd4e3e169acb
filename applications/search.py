"""Search over applications: name, client ID, creator, and the roles and scopes of their rules."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accessrules.authorization import Authority
from accessrules.models import AccessRuleQuerySet, Role, Scope
from applications.models import Application
from runai_access.folding import fold

# More ids than this are not sent to a database one by one; beyond it case counts outside ASCII.
_MOST_IDS = 10_000


def search(
    applications: QuerySet[Application], text: str, authority: Authority
) -> QuerySet[Application]:
    """Return the applications that `text` is found in, as far as their rules are in sight."""
    condition = Q(search_text__contains=fold(text))
    rules = rules_matching(text, authority)
    if rules is not None:
        condition |= Q(Exists(rules.filter(subject=OuterRef("pk"))))
    return applications.filter(condition)


def rules_matching(text: str, authority: Authority) -> AccessRuleQuerySet | None:
    """Return the living rules in sight whose role or scope has `text` in its name.

    Roles and scopes are few, so their names are folded and looked through here.
    """
    term = fold(text)
    roles = [pk for pk, name in Role.objects.values_list("pk", "name") if term in fold(name)]
    seen = Scope.objects.at_or_below(authority.where("read", "access_rules"))
    scopes = [pk for pk, name in seen.values_list("pk", "name") if term in fold(name)]
    if not roles and not scopes:
        return None
    condition = Q(role__in=roles)
    if len(scopes) <= _MOST_IDS:
        condition |= Q(scope__in=scopes)
    else:
        condition |= Q(scope__name__icontains=text)
    return authority.visible_rules().living().filter(condition)
