"""The Overview page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accessrules.authorization.callers import caller_of
from runai_access.overview import report


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show what needs attention."""
    caller_of(request).authority.require_overview()
    return render(request, "overview/page.html", {"overview": report.read(request)})
