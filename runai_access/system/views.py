"""The System page and its JSON. They require the “View settings” permission in the account."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accessrules.authorization.callers import caller_of
from runai_access.system import report


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the state of the installation."""
    caller_of(request).authority.require_system()
    return render(request, "system/page.html", {"sections": report.read()})


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """Return the same as JSON."""
    caller_of(request).authority.require_system()
    return JsonResponse(report.as_document(report.read()))
