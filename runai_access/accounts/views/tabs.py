"""The tabs of the pages of users and groups."""

from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url

from accessrules.authorization.authority import Authority
from accessrules.authorization.policies import Policy
from runai_access.accounts.policy import GROUPS, USERS
from runai_access.ui.dialogs import ParentPage

MAPPINGS = "Group mappings"


def tabs(authority: Authority) -> list[ParentPage]:
    """Return the tabs that the caller can open."""
    tabs_by_policy: list[tuple[Policy[Any], str, str]] = [
        (USERS, "Users", "users:list"),
        (GROUPS, "Groups", "groups:list"),
    ]
    if settings.OIDC:
        tabs_by_policy.append((GROUPS, MAPPINGS, "groups:mappings"))
    return [
        ParentPage(title, resolve_url(view))
        for policy, title, view in tabs_by_policy
        if authority.allows_anywhere("read", policy.resource_type)
    ]
