"""Looking for rules by the names of their subjects, roles and scopes."""

from django.db.models import Q, QuerySet

from accessrules.authorization import Authority
from accessrules.models import AccessRule, AccessRuleQuerySet, Role, Scope, Subject
from runai_access.folding import fold
from runai_access.ui.narrowing import Among


def rules_matching(text: str, authority: Authority) -> AccessRuleQuerySet | None:
    """Return the living rules in sight whose role or scope has `text` in its name, if any could."""
    roles, scopes = roles_named(text), scopes_named(text, authority)
    if not roles and not scopes:
        return None
    named = Q(role__in=roles) | Q(Among("scope", scopes))
    return authority.visible_rules().living().filter(named)


def search(rules: QuerySet[AccessRule], text: str, authority: Authority) -> QuerySet[AccessRule]:
    """Return those of `rules` whose subject, role or scope has `text` in its name."""
    subjects = Subject.objects.filter(folded_name__contains=fold(text))
    condition = Q(subject__in=subjects.values("pk")) | Q(role__in=roles_named(text))
    return rules.filter(condition | Q(Among("scope", scopes_named(text, authority))))


def roles_named(text: str) -> list[int]:
    """Return the ids of the roles that have `text` in their names."""
    term = fold(text)
    return [pk for pk, name in Role.objects.values_list("pk", "name") if term in fold(name)]


def roles_saying(text: str) -> list[int]:
    """Return the ids of the roles that have `text` in their names or descriptions."""
    term = fold(text)
    rows = Role.objects.values_list("pk", "name", "description")
    return [pk for pk, *texts in rows if term in fold("\0".join(texts))]


def scopes_named(text: str, authority: Authority) -> list[int]:
    """Return the ids of the scopes with `text` in their names, as far as their rules are in sight.

    Roles and scopes are few, so their names are folded and looked through here.
    """
    term = fold(text)
    seen = Scope.objects.at_or_below(authority.where("read", "access_rules"))
    return [pk for pk, name in seen.values_list("pk", "name") if term in fold(name)]
