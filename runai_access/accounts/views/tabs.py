"""Users and groups are two tabs of one place."""

from django.shortcuts import resolve_url

from accessrules.authorization.authority import Authority
from runai_access.accounts.policy import GROUPS, USERS
from runai_access.ui.dialogs import ParentPage


def tabs(authority: Authority) -> list[ParentPage]:
    """Return the two lists, as far as there is anything to see for the caller."""
    both = ((USERS, "Users", "users:list"), (GROUPS, "Groups", "groups:list"))
    return [
        ParentPage(title, resolve_url(view))
        for policy, title, view in both
        if authority.allows_anywhere("read", policy.resource_type)
    ]
