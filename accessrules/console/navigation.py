"""Navigation: which pages the signed-in user can open, and the landing page."""

from typing import Any

from django.shortcuts import resolve_url
from django.views.generic import RedirectView

from accessrules.authorization.callers import Caller, caller_of
from accessrules.authorization.scope_policy import TYPES
from accessrules.console.tables.history import sees_activity

# In the order of the rail: what may be read somewhere, and the page that shows it. Of two pages of
# one name the first that is allowed counts.
_PAGES = (
    ("applications", ("apps",), "applications:list"),
    ("access_rules", ("access_rules",), "accessrules:list"),
    ("roles", ("roles",), "roles:list"),
    ("scopes", tuple(map(str, TYPES)), "scopes:tree"),
    ("users", ("users",), "users:list"),
    ("users", ("groups",), "groups:list"),
)


def pages_of(caller: Caller) -> dict[str, str]:
    """Return the addresses of the pages that have something to show to the caller, by their names."""
    pages: dict[str, str] = {}
    for name, resource_types, view in _PAGES:
        can_read = any(caller.authority.allows_anywhere("read", type_) for type_ in resource_types)
        if can_read and name not in pages:
            pages[name] = resolve_url(view)
    if sees_activity(caller):
        pages["activity"] = resolve_url("activity:list")
    return pages


def start_page(caller: Caller) -> str:
    """Return the address that the caller starts at: their own account, where there is no business."""
    return next(iter(pages_of(caller).values()), resolve_url("accounts:own"))


class StartView(RedirectView):
    """Redirects `/` to the first page that the signed-in user can open."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:  # as Django calls it
        return start_page(caller_of(self.request))
