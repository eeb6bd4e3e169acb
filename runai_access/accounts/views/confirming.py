"""The page that asks for the password, a passkey or the identity provider before a dangerous action."""

import math

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accessrules.authorization.callers import caller_of
from runai_access.accounts import second_step, signin
from runai_access.accounts.actions import own_user
from runai_access.accounts.forms import INCORRECT, REFUSED_PASSKEY, ConfirmForm, PasskeyForm
from runai_access.accounts.mfa.passkeys import begin_use, has_passkeys
from runai_access.accounts.policy import has_local_password
from runai_access.accounts.sso.provider import connected_provider
from runai_access.accounts.views.next_page import next_url
from runai_access.errors import Busy
from runai_access.ui.forms import later


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the password; return to the page or dialog of the action, to continue there."""
    if request.method != "POST":
        return _page(request, ConfirmForm())
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        is_confirmed = signin.confirm_password(request, password=form.cleaned_data["password"])
    except signin.TooManyFailures as refusal:
        minutes = math.ceil(refusal.seconds / 60)
        form.add_error(None, f"Too many incorrect passwords. Try again in {minutes} min.")
        return later(_page(request, form, status=429), refusal.seconds)
    except Busy as busy:
        form.add_error(None, "Too many passwords are being checked. Try again in a moment.")
        return later(_page(request, form, status=503), busy.retry_after)
    if not is_confirmed:
        form.add_error("password", INCORRECT)
        return _page(request, form, status=422)
    return redirect(next_url(request))


@require_POST
def confirm_with_passkey(request: HttpRequest) -> HttpResponse:
    """Accept a passkey of the user instead; return to the page or dialog of the action."""
    form = PasskeyForm(request.POST)
    if form.is_valid() and second_step.confirm_with_passkey(request, **form.cleaned_data):
        return redirect(next_url(request))
    return _page(request, ConfirmForm(), status=422, error=REFUSED_PASSKEY)


@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Return what the browser needs to use a passkey of the signed-in user, not of a pending one."""
    return JsonResponse(begin_use(own_user(caller_of(request))))


def _page(
    request: HttpRequest, form: ConfirmForm, *, status: int = 200, error: str = ""
) -> HttpResponse:
    user = own_user(caller_of(request))
    context = {
        "form": form,
        "object": user,
        "next": next_url(request),
        "has_password": has_local_password(user),
        "provider": connected_provider(user),
        "has_passkeys": has_passkeys(user),
        "error": error,
    }
    return render(request, "accounts/confirm.html", context, status=status)
