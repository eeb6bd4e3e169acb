"""The user's own account: their access, their password, their second factors and their sessions."""

import math
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accessrules.authorization.callers import caller_of
from accessrules.authorization.grants import rules_in_force
from accessrules.console.tables.rules_of_subject import listed
from runai_access.accounts import policy, signin
from runai_access.accounts.actions import end_own_session, own_session, own_user
from runai_access.accounts.forms import OwnPasswordForm
from runai_access.accounts.mfa.factors import RECOVERY_CODES, unused_codes
from runai_access.accounts.models import Group, UserSession
from runai_access.accounts.policy import has_local_password
from runai_access.accounts.sessions import must_choose_password
from runai_access.accounts.sso.provider import connected_provider
from runai_access.accounts.views.next_page import account_page, next_url, unless_home
from runai_access.errors import Busy, Conflict
from runai_access.ui.dialogs import (
    finish_dialog,
    is_htmx_target,
    leave_for,
    render_dialog,
)
from runai_access.ui.forms import later

CHANGED = "Password changed. You are signed out everywhere else."


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """Show the user's details and all their rules, whatever else is visible to them."""
    user = own_user(caller_of(request))
    factors = list(policy.factors_of(user))
    context = {
        "object": user,
        "groups": Group.objects.of(user.subject),
        "rules": listed(rules_in_force(user.subject), user.subject),
        "sessions": UserSession.objects.current(user),
        "session_key": request.session.session_key,
        "provider": settings.OIDC,
        "is_connected": connected_provider(user) is not None,
        "has_password": has_local_password(user),
        "factors": [factor for factor in factors if factor.type != RECOVERY_CODES],
        "recovery_codes": next(
            (unused_codes(factor) for factor in factors if factor.type == RECOVERY_CODES), None
        ),
        "can_sign_in_locally": policy.can_sign_in_locally(user),
        "oob": is_htmx_target(request, "listing"),
    }
    return render(request, "accounts/own.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Ask for the current and a new password. Users with a temporary password must do this first."""
    user = own_user(caller_of(request))
    if request.method != "POST":
        return _form(request, OwnPasswordForm(user=user))
    form = OwnPasswordForm(request.POST, user=user)
    if not form.is_valid():
        return _form(request, form, status=422)
    was_temporary = must_choose_password(request)
    try:
        signin.change_password(
            request, current=form.cleaned_data["current"], new=form.cleaned_data["new"]
        )
    except ValidationError as error:
        form.add_error(None, error)
        return _form(request, form, status=422)
    except Conflict as conflict:
        form.add_error(None, str(conflict))
        return _form(request, form, status=409)
    except signin.TooManyFailures as refusal:
        minutes = math.ceil(refusal.seconds / 60)
        form.add_error(None, f"Too many incorrect passwords. Try again in {minutes} min.")
        return later(_form(request, form, status=429), refusal.seconds)
    except Busy as busy:
        form.add_error(
            None, "Too many passwords are being checked right now. Try again in a moment."
        )
        return later(_form(request, form, status=503), busy.retry_after)
    messages.success(request, CHANGED)
    if was_temporary:
        return redirect(next_url(request))
    return finish_dialog(request, account_page())


@require_http_methods(["GET", "HEAD", "POST"])
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation; end all sessions, including the current one."""
    if request.method != "POST":
        return render_dialog(
            request, "accounts/_sign_out_everywhere.html", {}, parent_page=account_page()
        )
    signin.sign_out_everywhere(request)
    messages.success(request, "Signed out everywhere.")
    address = resolve_url(settings.LOGIN_URL)
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)  # type: ignore[attr-defined]  # set by HtmxMiddleware


@require_http_methods(["GET", "HEAD", "POST"])
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation; end all other sessions."""
    if request.method != "POST":
        return render_dialog(
            request, "accounts/_sign_out_elsewhere.html", {}, parent_page=account_page()
        )
    signin.sign_out_elsewhere(request)
    messages.success(request, "Signed out everywhere else.")
    return finish_dialog(request, account_page())


@require_http_methods(["GET", "HEAD", "POST"])
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Ask for confirmation; end one of the user's sessions."""
    caller = caller_of(request)
    if request.method != "POST":
        row = own_session(caller=caller, session_id=session_id)
        is_current = row.pk == request.session.session_key
        context = {"session": row, "is_current": is_current}
        return render_dialog(
            request, "accounts/_end_session.html", context, parent_page=account_page()
        )
    row = end_own_session(caller=caller, session_id=session_id)
    if row.pk == request.session.session_key:
        auth.logout(request)
        return leave_for(request, resolve_url(settings.LOGIN_URL))
    messages.success(request, f"Session ended: {row.device}.")
    return finish_dialog(request, account_page())


def _form(request: HttpRequest, form: OwnPasswordForm, *, status: int = 200) -> HttpResponse:
    user = own_user(caller_of(request))
    context: dict[str, Any] = {"form": form, "object": user}
    if must_choose_password(request):
        context["next"] = unless_home(next_url(request))
        return render(request, "accounts/choose_password.html", context, status=status)
    return render_dialog(
        request, "accounts/_own_password.html", context, parent_page=account_page(), status=status
    )
