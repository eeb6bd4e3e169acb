"""Access rules as the page of their subject lists them."""

from dataclasses import dataclass

from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.models import AccessRule, AccessRuleQuerySet, Subject


@dataclass(frozen=True)
class ListedRule:
    """A rule that holds for a subject: where its scope stands, and which group hands it on, if any."""

    rule: AccessRule
    full_name: str
    through: Subject | None
    can_delete: bool


def listed(
    rules: AccessRuleQuerySet, subject: Subject, authority: Authority | None = None
) -> list[ListedRule]:
    """Return `rules` as the page of `subject` lists them: its own first. Two queries.

    With the `authority` of who asks, each tells whether it may be deleted.
    """
    found = list(rules.select_related("subject", "role", "scope").order_by("pk"))
    found.sort(key=lambda rule: rule.subject_id != subject.pk)
    names = full_names(rule.scope for rule in found)
    return [
        ListedRule(
            rule,
            names.get(rule.scope.path, rule.scope.name),
            rule.subject if rule.subject_id != subject.pk else None,
            can_delete=authority is not None
            and rule.subject_id == subject.pk
            and authority.allows("delete", "access_rules", rule.scope),
        )
        for rule in found
    ]
