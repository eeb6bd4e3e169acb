"""Middleware that requires a signed-in user, with a password of their own and the factors they need."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from runai_access.accounts.models import User
from runai_access.accounts.sessions import must_choose_password, must_enroll, note_use
from runai_access.ui.dialogs import address_to_return_to, leave_and_keep_form

# The query parameter of the sign-in page with the reason why it is shown.
ENDED = "session"


class SignInMiddleware(LoginRequiredMiddleware):
    """Redirects to the sign-in page, and back to the view with its filters afterwards.

    An open page whose session has ended sends HTMX requests. They get a redirect of the whole page, so
    that the sign-in form does not appear inside it.
    """

    def handle_no_permission(  # type: ignore[override]  # HTMX redirects by header
        self, request: HttpRequest, view: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        query = {REDIRECT_FIELD_NAME: address_to_return_to(request)}
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            query[ENDED] = "ended"
        address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode(query, safe='/')}"
        return (
            leave_and_keep_form(address) if "HX-Request" in request.headers else redirect(address)
        )


class SessionUseMiddleware:
    """Notes the use of a session by a page. The API notes it when it authenticates a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_: Any
    ) -> None:
        if getattr(view, "login_required", True) and isinstance(request.user, User):
            note_use(request, request.user)


class _DutyMiddleware:
    """Redirects users to the page `view` while something is due there, except from `open_views`.

    API views authenticate requests themselves and refuse these users (see `authentication`).
    """

    view: str
    open_views: frozenset[str]

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def is_due(self, request: HttpRequest) -> bool:
        raise NotImplementedError

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not getattr(view, "login_required", True):
            return None
        if match and match.view_name in self.open_views:
            return None
        if not self.is_due(request):
            return None
        address = resolve_url(self.view)
        if "HX-Request" in request.headers:
            return HttpResponseClientRedirect(address)
        if request.method in ("GET", "HEAD"):
            address = f"{address}?{urlencode({'next': request.get_full_path()})}"
        return redirect(address)


class OwnPasswordMiddleware(_DutyMiddleware):
    """Redirects users with a temporary password to the password page."""

    view = "accounts:password"
    open_views = frozenset({"accounts:password", "ui:theme"})

    def is_due(self, request: HttpRequest) -> bool:
        return must_choose_password(request)


class EnrollmentMiddleware(_DutyMiddleware):
    """Redirects users who must have a second factor to the pages that set one up."""

    view = "accounts:enroll"
    open_views = frozenset(
        {
            "accounts:enroll",
            "accounts:enroll-app",
            "accounts:enroll-passkey",
            "accounts:passkey-creation",
            "accounts:confirm",
            "accounts:passkey-confirm",
            "accounts:passkey-confirm-options",
            "accounts:provider-confirm",
            "ui:theme",
        }
    )

    def is_due(self, request: HttpRequest) -> bool:
        return not must_choose_password(request) and must_enroll(request)
