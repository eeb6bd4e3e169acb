"""Sign-in with the identity provider, and what else its users can prove with it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accessrules.authorization.callers import Caller, caller_of
from runai_access.accounts import signin
from runai_access.accounts.actions import own_user
from runai_access.accounts.models import User
from runai_access.accounts.sessions import note_use
from runai_access.accounts.sso import provider
from runai_access.accounts.sso.actions import (
    SignInRefused,
    connect_own_identity,
    linked_user,
    sign_on,
)
from runai_access.accounts.sso.discovery import ProviderError
from runai_access.accounts.sso.identity import Identity
from runai_access.accounts.sso.provider import Flow, FlowCanceled, FlowExpired, configured_provider
from runai_access.accounts.views.next_page import home
from runai_access.accounts.views.signing_in import render_leave_page, render_sign_in
from runai_access.errors import Conflict
from runai_access.security.throttles import attempt, network_of
from runai_access.ui.dialogs import local_path
from runai_access.ui.forms import later

SIGN_IN, CONNECT, CONFIRM = "sign-in", "connect", "confirm"
# Asks the user to authenticate again, not just to be recognized (OpenID Connect Core 1.0 §3.1.2.1).
_AGAIN = {"prompt": "login", "max_age": "0"}
# Sign-ins that an address can start, because each one is stored until it expires.
STARTS, START_SECONDS = 60, 5 * 60
# Of the session of a user who has not signed in yet; allauth forgets a flow after this time.
FLOW_SECONDS = 10 * 60


@login_not_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Send the user to the provider to sign in, then to the requested page."""
    name = configured_provider().name
    next_url = _local(request.POST.get("next", ""))
    origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    started = attempt(
        "sign-in start",
        network_of(origin.address),
        limit=STARTS,
        seconds=START_SECONDS,
        extend=False,
    )
    if started.refused:
        error = f"Too many sign-ins with {name} from your network. Try again in a few minutes."
        page = render_sign_in(request, next_url, error=error, status=429)
        return later(page, started.retry_after)
    if not request.user.is_authenticated:
        request.session.set_expiry(FLOW_SECONDS)
    try:
        url = provider.start(request, purpose=SIGN_IN, next_url=next_url)
    except ProviderError as error:
        signin.record_refusal("", origin, f"{configured_provider().issuer}: {error}")
        return render_sign_in(request, next_url, error=_unavailable(), status=503)
    return render_leave_page(request, url)


@require_POST
def connect(request: HttpRequest) -> HttpResponse:
    """Send the user to the provider, to connect their account there."""
    caller_of(request).require_recent_authentication()
    return _start_signed_in(request, CONNECT, resolve_url("accounts:own"))


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Send the user to the provider to authenticate again."""
    return _start_signed_in(request, CONFIRM, _local(request.POST.get("next", "")), **_AGAIN)


@login_not_required
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Handle the provider's answer to any of these."""
    try:
        flow = provider.take_flow(request)
    except FlowExpired as error:
        _record_refusal(request, str(error))
        message = "This sign-in has expired, or was already used. Try again."
        return render_sign_in(request, _local(""), error=message, status=400)
    try:
        identity = provider.identify(request, flow)
    except FlowCanceled as error:
        return _refused(request, flow, "You did not sign in. Try again.", str(error))
    except ProviderError as error:
        return _refused(request, flow, _unavailable(), str(error))
    try:
        return _COMPLETE[flow.purpose](request, flow, identity)
    except SignInRefused as refusal:
        return _refused(request, flow, str(refusal), refusal.reason, identity.email)


def _start_signed_in(
    request: HttpRequest, purpose: str, next_url: str, **parameters: str
) -> HttpResponse:
    user = str(own_user(caller_of(request)).pk)
    try:
        url = provider.start(
            request, purpose=purpose, next_url=next_url, user=user, parameters=parameters
        )
    except ProviderError:
        messages.error(request, _unavailable())
        return redirect("accounts:own")
    return render_leave_page(request, url)


def _sign_in(request: HttpRequest, flow: Flow, identity: Identity) -> HttpResponse:
    caller = Caller(None, request.origin)  # type: ignore[attr-defined]  # set by OriginMiddleware
    user = sign_on(caller=caller, identity=identity, provider=configured_provider())
    signin.sign_in_with_provider(request, user, identity)
    return redirect(_local(flow.next_url))


def _connect(request: HttpRequest, flow: Flow, identity: Identity) -> HttpResponse:
    _require_starter(request, flow)
    try:
        connect_own_identity(caller=caller_of(request), identity=identity)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    else:
        messages.success(request, f"Connected to {configured_provider().name}.")
    return redirect("accounts:own")


def _confirm(request: HttpRequest, flow: Flow, identity: Identity) -> HttpResponse:
    _require_starter(request, flow)
    if linked_user(identity) != request.user:
        raise SignInRefused(
            "You signed in as another user.", reason="confirmed with another identity"
        )
    limit = timedelta(seconds=settings.REAUTHENTICATION_SECONDS)
    if identity.authenticated_at and timezone.now() - identity.authenticated_at > limit:
        raise SignInRefused(
            f"{configured_provider().name} did not ask you to authenticate again.",
            reason="confirmed without authentication",
        )
    signin.confirm_with_provider(request, identity)
    return redirect(_local(flow.next_url))


def _require_starter(request: HttpRequest, flow: Flow) -> None:
    """Raise SignInRefused unless the user who started the flow is still signed in."""
    if not isinstance(request.user, User) or str(request.user.pk) != flow.user:
        raise SignInRefused("You are no longer signed in.", reason="the session has ended")
    note_use(request, request.user)  # the middleware does it where a sign-in is required


_COMPLETE = {SIGN_IN: _sign_in, CONNECT: _connect, CONFIRM: _confirm}


def _refused(
    request: HttpRequest, flow: Flow, message: str, reason: str, email: str = ""
) -> HttpResponse:
    """Audit that the provider's answer was refused, and show why."""
    _record_refusal(request, reason, email)
    if flow.purpose == SIGN_IN or not request.user.is_authenticated:
        return render_sign_in(request, _local(flow.next_url), error=message, status=403)
    messages.error(request, message)
    return redirect("accounts:own")


def _record_refusal(request: HttpRequest, reason: str, email: str = "") -> None:
    origin: Any = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    signin.record_refusal(email, origin, f"{configured_provider().issuer}: {reason}")


def _unavailable() -> str:
    return f"Sign-in with {configured_provider().name} failed. Try again later."


def _local(wanted: str) -> str:
    return local_path(wanted, home())
