"""Access rules as the page of their subject lists them."""

from dataclasses import dataclass

from accessrules.models import AccessRule, AccessRuleQuerySet, Subject
from accessrules.scope_tree import full_names


@dataclass(frozen=True)
class ListedRule:
    """A rule that holds for a subject: where its scope stands, and which group hands it on, if any."""

    rule: AccessRule
    full_name: str
    through: Subject | None


def listed(rules: AccessRuleQuerySet, subject: Subject) -> list[ListedRule]:
    """Return `rules` as the page of `subject` lists them: its own first. Two queries."""
    found = list(rules.select_related("subject", "role", "scope").order_by("pk"))
    found.sort(key=lambda rule: rule.subject_id != subject.pk)
    names = full_names(rule.scope for rule in found)
    return [
        ListedRule(
            rule,
            names.get(rule.scope.path, rule.scope.name),
            rule.subject if rule.subject_id != subject.pk else None,
        )
        for rule in found
    ]
