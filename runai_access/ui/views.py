"""Views of the page frame."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from runai_access.ui.dialogs import ParentPage, local_path, render_dialog
from runai_access.ui.themes import remember_theme
from runai_access.ui.times import remember_times


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Store the theme and return to the page it was chosen on."""
    response = redirect(local_path(request.POST.get("next", ""), "/"))
    remember_theme(response, request.POST.get("theme", ""))
    return response


@require_POST
def choose_times(request: HttpRequest) -> HttpResponse:
    """Store the time zone and date format, and return to the page they were chosen on."""
    response = redirect(local_path(request.POST.get("next", ""), "/"))
    remember_times(
        response, zone=request.POST.get("zone", ""), format_=request.POST.get("format", "")
    )
    messages.success(request, "Date and time settings saved.")
    return response


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Show the keyboard shortcuts."""
    return render_dialog(request, "ui/_keys.html", {}, parent_page=ParentPage("Back", "/"))
