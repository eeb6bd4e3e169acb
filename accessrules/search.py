"""Looking for rules by the names of their subjects, roles and scopes."""

from django.db.models import Q, QuerySet

from accessrules.authorization import Authority
from accessrules.models import AccessRule, AccessRuleQuerySet, Role, Scope, Subject
from runai_access.folding import fold

# More ids than this are not sent to a database one by one; beyond it case counts outside ASCII.
_MOST_IDS = 10_000


def rules_matching(text: str, authority: Authority) -> AccessRuleQuerySet | None:
    """Return the living rules in sight whose role or scope has `text` in its name, if any could."""
    condition = _by_role_or_scope(text, authority)
    return None if condition is None else authority.visible_rules().living().filter(condition)


def search(rules: QuerySet[AccessRule], text: str, authority: Authority) -> QuerySet[AccessRule]:
    """Return those of `rules` whose subject, role or scope has `text` in its name."""
    subjects = Subject.objects.filter(folded_name__contains=fold(text))
    condition = Q(subject__in=subjects.values("pk"))
    by_role_or_scope = _by_role_or_scope(text, authority)
    return rules.filter(condition if by_role_or_scope is None else condition | by_role_or_scope)


def roles_named(text: str) -> list[int]:
    """Return the ids of the roles that have `text` in their names."""
    term = fold(text)
    return [pk for pk, name in Role.objects.values_list("pk", "name") if term in fold(name)]


def roles_saying(text: str) -> list[int]:
    """Return the ids of the roles that have `text` in their names or descriptions."""
    term = fold(text)
    rows = Role.objects.values_list("pk", "name", "description")
    return [pk for pk, *texts in rows if term in fold("\0".join(texts))]


def _by_role_or_scope(text: str, authority: Authority) -> Q | None:
    """Roles and scopes are few, so their names are folded and looked through here."""
    term = fold(text)
    roles = roles_named(text)
    seen = Scope.objects.at_or_below(authority.where("read", "access_rules"))
    scopes = [pk for pk, name in seen.values_list("pk", "name") if term in fold(name)]
    if not roles and not scopes:
        return None
    condition = Q(role__in=roles)
    if len(scopes) <= _MOST_IDS:
        return condition | Q(scope__in=scopes)
    return condition | Q(scope__name__icontains=text)
