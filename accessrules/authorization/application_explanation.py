"""Explanations of what a subject can do with one application, also as its owner.

Makes no decisions: the answer comes from the decision module.
"""

from dataclasses import dataclass

from accessrules.authorization.authority import Authority, authority_of, describe_permission
from accessrules.authorization.explanation import explain, rules_permitting, sentence
from accessrules.models import ACCOUNT_PATH, AccessRule, Scope, Subject
from runai_access.errors import Denied

# What an owner can do if it has the permission in any scope.
_OWNERS_CAN = {"read": "view", "update": "manage the client secrets of"}


@dataclass(frozen=True)
class ApplicationExplanation:
    """A decision about an application, with its reasons."""

    subject: Subject
    action: str
    application: Subject
    allowed: bool
    reasons: list[str]

    def lines(self) -> list[str]:
        """Return the explanation as text lines, the answer first."""
        answer, verb = ("Yes", "can") if self.allowed else ("No", "cannot")
        action = _OWNERS_CAN.get(self.action, self.action)
        first = f"{answer}: {self.subject.name} {verb} {action} {self.application.name}."
        return [first, *(f"  {reason}" for reason in self.reasons)]


def explain_for_application(
    subject: Subject, action: str, application: Subject
) -> ApplicationExplanation:
    """Explain whether `subject` can perform `action` on an application.

    The action `update` of an owner is managing its secrets; everything else requires the account.
    """
    authority, owner = authority_of(subject), owner_of(application)
    on_account = explain(subject, action, "apps", Scope.objects.get(path=ACCOUNT_PATH))
    if on_account.allowed:
        return ApplicationExplanation(subject, action, application, True, on_account.reasons())
    allowed = _is_allowed(authority, action, application, owner)
    reasons = [
        *(_of_rules(authority, subject, application) if action == "read" else []),
        *_of_ownership(authority, subject, action, application, owner),
    ]
    if not allowed:
        reasons += on_account.reasons()
    return ApplicationExplanation(subject, action, application, allowed, reasons)


def owner_of(application: Subject) -> Subject | None:
    """Return the owner of an application, unless it was deleted."""
    return Subject.objects.living().filter(owned_applications=application.pk).first()


def _is_allowed(
    authority: Authority, action: str, application: Subject, owner: Subject | None
) -> bool:
    if action == "read":
        seen = Subject.objects.filter(authority.visible_q("apps"), pk=application.pk)
        return authority.allows_anywhere("read", "apps") and seen.exists()
    return action == "update" and authority.can_manage_secrets(
        application, owner.pk if owner else None
    )


def _of_rules(authority: Authority, subject: Subject, application: Subject) -> list[str]:
    """Return the rules of the application in scopes where the subject can read applications."""
    rules = AccessRule.objects.living().filter(subject=application)
    seen = rules.in_scopes(authority.scopes_to_read("apps"), use_index=False)
    return [
        f"allowed by: {sentence(rule, application)}, where {subject.name} can view applications"
        for rule in seen.select_related("subject", "role", "scope").order_by("pk")
    ]


def _of_ownership(
    authority: Authority,
    subject: Subject,
    action: str,
    application: Subject,
    owner: Subject | None,
) -> list[str]:
    """Return what the ownership of the application allows the subject, or why it allows nothing."""
    if action not in _OWNERS_CAN:
        return []
    if owner is None:
        return [f"{application.name} has no owner."]
    if not authority.owns(owner.pk):
        return [f"{application.name} is owned by {owner.name}."]
    through = "" if owner.pk == subject.pk else f" through group {owner.name}"
    owns = f"{subject.name} owns {application.name}{through}"
    permission = (action, "apps")
    granting = rules_permitting(subject, permission)
    if not granting:
        return [f"{owns}, but has the {describe_permission(permission)} permission in no scope."]
    if action == "update":
        try:
            authority.require_can_manage_secrets(application, owner.pk)
        except Denied as denied:
            return [f"{owns}, but {denied}"]
    return [f"allowed by: {owns}, and {sentence(granting[0], subject)}"]
