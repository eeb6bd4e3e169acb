"""Subjects, roles and scopes, and the access rules that join them."""

from django.db.models import CharField
from django.db.models.functions import Length

from accessrules.models.rules import AccessRule, AccessRuleQuerySet, Role, RuleCount
from accessrules.models.scopes import (
    ACCOUNT_PATH,
    LABEL_DIGITS,
    SYSTEM_PATH,
    Scope,
    ScopeQuerySet,
    at_or_below,
    load_ancestors,
    scope_label,
)
from accessrules.models.subjects import GroupMembership, Subject, SubjectQuerySet

# Check constraints compare the length of names and paths.
CharField.register_lookup(Length, "length")

__all__ = [
    "ACCOUNT_PATH",
    "LABEL_DIGITS",
    "SYSTEM_PATH",
    "AccessRule",
    "AccessRuleQuerySet",
    "GroupMembership",
    "Role",
    "RuleCount",
    "Scope",
    "ScopeQuerySet",
    "Subject",
    "SubjectQuerySet",
    "at_or_below",
    "load_ancestors",
    "scope_label",
]
