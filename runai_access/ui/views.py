"""Views of the frame itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from runai_access.ui.dialogs import ParentPage, local_path, render_dialog
from runai_access.ui.themes import remember_theme


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
