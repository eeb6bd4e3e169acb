"""Users and groups are two tabs of one place."""

from django.shortcuts import resolve_url

from accessrules.authorization.authority import Authority
from runai_access.accounts.policy import GROUPS, PEOPLE
from runai_access.ui.dialogs import Home


def tabs(authority: Authority) -> list[Home]:
    """Return the two lists, as far as there is anything to see for the caller."""
    both = ((PEOPLE, "Users", "users:list"), (GROUPS, "Groups", "groups:list"))
    return [
        Home(title, resolve_url(view))
        for policy, title, view in both
        if authority.allows_anywhere("read", policy.resource_type)
    ]
