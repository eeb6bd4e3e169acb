"""The access rules on the page of a subject."""

from dataclasses import dataclass

from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.authorization.effective_access import Removal
from accessrules.authorization.grants import Permission
from accessrules.models import AccessRule, AccessRuleQuerySet, Subject


@dataclass(frozen=True)
class ListedRule:
    """A rule that applies to a subject: the full name of its scope, and the group that grants it.

    `removal` is the effect of removing it; None without a preview.
    """

    rule: AccessRule
    full_name: str
    through: Subject | None
    can_delete: bool
    removal: Removal | None = None

    @property
    def lost(self) -> frozenset[Permission]:
        """The permissions that removing the rule revokes."""
        changes = self.removal.changes if self.removal else ()
        return frozenset().union(*(change.lost for change in changes))


def listed(
    rules: AccessRuleQuerySet, subject: Subject, authority: Authority | None = None
) -> list[ListedRule]:
    """Return `rules` for the page of `subject`, its own rules first. Runs two queries.

    `authority` is the caller's; without it no rule can be deleted.
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
