"""The tabs of the Users and Groups pages."""

from django.shortcuts import resolve_url

from accessrules.authorization.authority import Authority
from runai_access.accounts.policy import GROUPS, USERS
from runai_access.ui.dialogs import ParentPage


def tabs(authority: Authority) -> list[ParentPage]:
    """Return the tabs that the caller can open."""
    tabs_by_policy = ((USERS, "Users", "users:list"), (GROUPS, "Groups", "groups:list"))
    return [
        ParentPage(title, resolve_url(view))
        for policy, title, view in tabs_by_policy
        if authority.allows_anywhere("read", policy.resource_type)
    ]
