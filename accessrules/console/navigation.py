"""Navigation: which pages the signed-in user can open, and the landing page."""

from typing import Any

from django.shortcuts import resolve_url
from django.views.generic import RedirectView

from accessrules.authorization.callers import Caller, caller_of
from accessrules.authorization.scope_policy import TYPES

# Name, resource types and view, in the order of the navigation rail. A page is shown if the caller can
# read one of the resource types; of two views with the same name, the first allowed one is used.
_PAGES = (
    ("applications", ("apps",), "applications:list"),
    ("access_rules", ("access_rules",), "accessrules:list"),
    ("roles", ("roles",), "roles:list"),
    ("scopes", tuple(map(str, TYPES)), "scopes:tree"),
    ("users", ("users",), "users:list"),
    ("users", ("groups",), "groups:list"),
)


def pages_of(caller: Caller) -> dict[str, str]:
    """Return the URLs of the pages that the caller can open, by name."""
    pages: dict[str, str] = {}
    if caller.authority.reads_overview:
        pages["overview"] = resolve_url("overview:page")
    for name, resource_types, view in _PAGES:
        can_read = any(caller.authority.allows_anywhere("read", type_) for type_ in resource_types)
        if can_read and name not in pages:
            pages[name] = resolve_url(view)
    if caller.authority.reads_audit_log:
        pages["activity"] = resolve_url("activity:list")
    if caller.authority.reads_system:
        pages["system"] = resolve_url("system:page")
    return pages


def start_page(caller: Caller) -> str:
    """Return the URL of the landing page: the first page the caller can open, or their account.

    That is the Overview for administrators, and Applications for most others.
    """
    return next(iter(pages_of(caller).values()), resolve_url("accounts:own"))


class StartView(RedirectView):
    """Redirects `/` to the first page that the signed-in user can open."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return start_page(caller_of(self.request))
