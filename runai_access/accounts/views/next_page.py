"""Where the forms of sign-in and of the account lead."""

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url

from runai_access.ui.dialogs import ParentPage, local_path


def home() -> str:
    """Return the URL to which sign-ins lead."""
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def account_page() -> ParentPage:
    """Return the parent page of dialogs about the user's own account."""
    return ParentPage("Your account", resolve_url("accounts:own"))


def next_url(request: HttpRequest, default: str = "") -> str:
    """Return the path on this host that the parameter `next` names, or else `default` or `home`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return local_path(wanted, default or home())


def unless_home(url: str) -> str:
    """Return the value of the field `next` that leads to `url`; none is needed for `home`."""
    return "" if url == home() else url
