"""Whoever signed in with a temporary password chooses an own one, and does nothing else before."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from runai_access.accounts.models import User

# What is left to such a person, besides what is open to everyone: signing out, for one.
_LEFT = {"accounts:password", "ui:theme"}


class OwnPasswordMiddleware:
    """Leads every page but the few in `_LEFT` to choosing a password.

    The API's views ask for a caller themselves, and refuse this one (see `authentication`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_: Any
    ) -> HttpResponse | None:
        if not getattr(view, "login_required", True) or not _must_choose(request):
            return None
        match = request.resolver_match
        if match and match.view_name in _LEFT:
            return None
        address = resolve_url("accounts:password")
        if "HX-Request" in request.headers:
            return HttpResponseClientRedirect(address)
        if request.method in ("GET", "HEAD"):
            address = f"{address}?{urlencode({'next': request.get_full_path()})}"
        return redirect(address)


def _must_choose(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.must_choose_password
