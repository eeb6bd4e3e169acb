"""The second step of a sign-in, and sign-in with a passkey.

The session says whose second factor is awaited; nothing in a request can change that.
"""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from runai_access.accounts import second_step, signin
from runai_access.accounts.forms import REFUSED_PASSKEY, WRONG_CODE, CodeForm, PasskeyForm
from runai_access.accounts.mfa import passkeys, pending
from runai_access.accounts.mfa.factors import APP
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from runai_access.accounts.views.next_page import next_url, unless_home
from runai_access.accounts.views.sign_on import START_SECONDS, STARTS
from runai_access.accounts.views.signing_in import render_sign_in
from runai_access.security.throttles import attempt, network_of
from runai_access.ui.forms import duration, later

TOO_MANY_STARTS = "Too many sign-ins from your network. Try again in a few minutes."
EXPIRED = "This sign-in has expired. Enter your password again."


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for a code after the password, then redirect to the requested page."""
    user = pending.pending_user(request)
    if user is None:
        if request.user.is_authenticated:  # another tab has signed in
            return redirect(next_url(request))
        status = 403 if request.method == "POST" else 200
        return render_sign_in(request, next_url(request), note=EXPIRED, status=status)
    if request.method != "POST":
        return _page(request, user, CodeForm())
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _page(request, user, form, status=422)
    try:
        signed_in = second_step.sign_in_with_code(request, code=form.cleaned_data["code"])
    except signin.TooManyFailures as refusal:
        form.add_error(None, f"{refusal} Try again in {duration(refusal.seconds)}.")
        return later(_page(request, user, form, status=429), refusal.seconds)
    if signed_in is None:
        form.add_error("code", WRONG_CODE)
        return _page(request, user, form, status=422)
    return redirect(next_url(request))


@login_not_required
@require_POST
def use_passkey(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey, which needs no password, then redirect to the requested page."""
    form = PasskeyForm(request.POST)
    if form.is_valid() and second_step.sign_in_with_passkey(request, **form.cleaned_data):
        return redirect(next_url(request))
    waiting = pending.pending_user(request)
    if waiting is None:
        return render_sign_in(request, next_url(request), error=REFUSED_PASSKEY, status=422)
    return _page(request, waiting, CodeForm(), status=422, error=REFUSED_PASSKEY)


@login_not_required
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser needs to use a passkey, or the error to show.

    The passkey is one of the pending user, or of anyone.
    """
    passkeys.require_passkeys()
    user = pending.pending_user(request)
    if user is not None:
        return JsonResponse(passkeys.begin_use(user))
    network = network_of(request.origin.address)  # type: ignore[attr-defined]  # set by OriginMiddleware
    started = attempt("sign-in start", network, limit=STARTS, seconds=START_SECONDS, extend=False)
    if started.refused:  # each one stores a session
        return later(JsonResponse({"error": TOO_MANY_STARTS}, status=429), started.retry_after)
    if not request.user.is_authenticated:
        request.session.set_expiry(settings.SECOND_FACTOR_SECONDS)
    return JsonResponse(passkeys.begin_use(None))


def _page(
    request: HttpRequest, user: User, form: CodeForm, *, status: int = 200, error: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "object": user,
        "next": unless_home(next_url(request)),
        "has_app": factors_of(user).filter(type=APP).exists(),
        "has_passkeys": passkeys.has_passkeys(user),
        "error": error,
    }
    return render(request, "accounts/second_factor.html", context, status=status)
