"""Views of the frame itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from runai_access.ui.dialogs import Home, render_dialog
from runai_access.ui.themes import remember_theme


def local_address(request: HttpRequest, address: str, default: str) -> str:
    """Return `address` if it stays on this host, else `default`."""
    stays = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if stays else default


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme and go back to where it was chosen."""
    response = redirect(local_address(request, request.POST.get("next", ""), "/"))
    remember_theme(response, request.POST.get("theme", ""))
    return response


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """List the keys that do something."""
    return render_dialog(request, "ui/_keys.html", {}, home=Home("Back", "/"))
