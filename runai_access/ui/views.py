"""Views of the frame itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from runai_access.ui.dialogs import ParentPage, is_local, render_dialog
from runai_access.ui.themes import remember_theme


def local_path(address: str, default: str) -> str:
    """Return `address` if it is a path on this host, else `default`.

    A relative one is none: `redirect` would take it for the name of a view.
    """
    return address if is_local(address) else default


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme and go back to where it was chosen."""
    response = redirect(local_path(request.POST.get("next", ""), "/"))
    remember_theme(response, request.POST.get("theme", ""))
    return response


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """List the keys that do something."""
    return render_dialog(request, "ui/_keys.html", {}, parent_page=ParentPage("Back", "/"))
