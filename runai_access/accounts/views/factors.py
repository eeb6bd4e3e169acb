"""The pages on which users set up, rename and remove their own second factors.

Only the response to the POST contains recovery codes: there is no redirect, session entry or reload.
"""

from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accessrules.authorization.callers import caller_of
from runai_access.accounts import policy
from runai_access.accounts.actions import own_user
from runai_access.accounts.devices import describe_device
from runai_access.accounts.forms import AppForm, NewPasskeyForm, PasskeyNameForm
from runai_access.accounts.mfa import actions, new_app, passkeys
from runai_access.accounts.mfa.factors import APP, PASSKEY, describe
from runai_access.accounts.models import User
from runai_access.accounts.sessions import must_enroll, note_second_factor
from runai_access.accounts.views.next_page import account_page, next_url
from runai_access.compression import forbid_compression
from runai_access.errors import Conflict, ReauthenticationRequired
from runai_access.ui.dialogs import finish_dialog, render_dialog

ADDED = "Second factor added. You are signed out everywhere else."
REMOVED = "Second factor removed. You are signed out everywhere else."
CONFIRM_FIRST = "Reload this page to confirm that it's you."
REPLACED = "The page to set up the app has expired. Scan the new QR code."


@require_safe
def enroll(request: HttpRequest) -> HttpResponse:
    """Offer the kinds of second factors. Users who must have one are redirected to this page."""
    user = own_user(caller_of(request))
    context = {
        "object": user,
        "has_app": policy.factors_of(user).filter(type=APP).exists(),
        "has_passkeys": settings.PASSKEY_DOMAIN is not None,
    }
    return _page(request, "accounts/enroll.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def enroll_app(request: HttpRequest) -> HttpResponse:
    """Show the secret of a new authenticator app as a QR code, and ask for its first code."""
    caller = caller_of(request)
    caller.require_recent_authentication()
    user = own_user(caller)
    if request.method != "POST":
        return _app_page(request, AppForm(), new_app.generate(user))
    form = AppForm(request.POST)
    new = new_app.reopen(user, request.POST.get("sealed", ""))
    if new is None:
        form.add_error(None, REPLACED)
        return _app_page(request, form, new_app.generate(user), status=422)
    if not form.is_valid():
        return _app_page(request, form, new, status=422)
    try:
        user, codes = actions.set_up_app(
            caller=caller, secret=new.secret, code=form.cleaned_data["code"]
        )
    except ValidationError as error:
        form.add_error(None, error)
        return _app_page(request, form, new, status=422)
    return _added(request, user, codes)


@require_http_methods(["GET", "HEAD", "POST"])
def enroll_passkey(request: HttpRequest) -> HttpResponse:
    """Ask for the name of a new passkey, which a script creates; add it."""
    passkeys.require_passkeys()
    caller = caller_of(request)
    caller.require_recent_authentication()
    if request.method != "POST":
        return _passkey_page(request, NewPasskeyForm())
    form = NewPasskeyForm(request.POST)
    if not form.is_valid():
        return _passkey_page(request, form, status=422)
    name = form.cleaned_data["name"] or _device(request)
    try:
        credential = passkeys.complete_creation(form.cleaned_data["response"])
        user, codes = actions.add_passkey(caller=caller, name=name, credential=credential)
    except passkeys.PasskeyRefused as refusal:
        form.add_error(None, f"{refusal} Try again.")
        return _passkey_page(request, form, status=422)
    except Conflict as conflict:
        form.add_error(None, str(conflict))
        return _passkey_page(request, form, status=409)
    return _added(request, user, codes)


@require_POST
def passkey_creation(request: HttpRequest) -> HttpResponse:
    """Return what the browser needs to create a passkey, or the error to show."""
    caller = caller_of(request)
    try:
        caller.require_recent_authentication()
        return JsonResponse(passkeys.begin_creation(own_user(caller)))
    except ReauthenticationRequired:
        return JsonResponse({"error": CONFIRM_FIRST}, status=403)
    except Conflict as conflict:
        return JsonResponse({"error": str(conflict)}, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ask for confirmation; replace the recovery codes and show them once."""
    caller = caller_of(request)
    caller.require_recent_authentication()
    if request.method != "POST":
        return render_dialog(
            request, "accounts/_new_recovery_codes.html", {}, parent_page=account_page()
        )
    codes = actions.renew_recovery_codes(caller=caller)
    response = render_dialog(
        request, "accounts/_recovery_codes.html", _codes_context(own_user(caller), codes),
        parent_page=account_page(), changed="", is_last=True,
    )  # fmt: skip
    messages.success(request, "Recovery codes created. The former ones no longer work.")
    return _once(response)


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Ask for the name of a passkey; set it."""
    caller = caller_of(request)
    caller.require_recent_authentication()
    factor = actions.own_factor(own_user(caller), factor_id, type_=PASSKEY)
    form = PasskeyNameForm(request.POST or {"name": factor.data["name"]})
    if request.method == "POST" and form.is_valid():
        actions.rename_passkey(caller=caller, factor_id=factor_id, **form.cleaned_data)
        messages.success(request, "Passkey renamed.")
        return finish_dialog(request, account_page())
    return render_dialog(
        request, "accounts/_rename_factor.html", {"form": form, "factor": factor},
        parent_page=account_page(), status=422 if form.errors else 200,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Ask for confirmation; remove a second factor."""
    caller = caller_of(request)
    caller.require_recent_authentication()
    user = own_user(caller)
    factor = actions.own_factor(user, factor_id)
    is_last, error = actions.is_last(user, factor), ""
    if request.method == "POST":
        try:
            user = actions.remove_factor(caller=caller, factor_id=factor_id)
        except Conflict as conflict:
            error = str(conflict)
        else:
            auth.update_session_auth_hash(request, user)
            note_second_factor(request, proved=policy.has_second_factor(user))
            messages.success(request, REMOVED)
            return finish_dialog(request, account_page())
    context = {"factor": factor, "name": describe(factor), "is_last": is_last, "error": error}
    return render_dialog(
        request, "accounts/_remove_factor.html", context,
        parent_page=account_page(), status=409 if error else 200,
    )  # fmt: skip


def _added(request: HttpRequest, user: User, codes: list[str]) -> HttpResponse:
    """Keep this session of a user with a new factor, and show new recovery codes."""
    auth.update_session_auth_hash(request, user)
    note_second_factor(request)
    messages.success(request, ADDED)
    if not codes:
        return redirect(next_url(request, account_page().address))
    context = {**_codes_context(user, codes), "next": next_url(request, account_page().address)}
    return _once(render(request, "accounts/recovery_codes.html", context))


def _codes_context(user: User, codes: list[str]) -> dict[str, Any]:
    return {"object": user, "codes": [f"{code[:4]} {code[4:]}" for code in codes]}


def _once(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    forbid_compression(response)
    return response


def _app_page(
    request: HttpRequest, form: AppForm, new: new_app.NewApp, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "new": new,
        # Drawn by us, from a URL whose parts are quoted.
        "qr_code": mark_safe(new.qr_code),  # noqa: S308
    }
    return _once(_page(request, "accounts/enroll_app.html", context, status=status))


def _passkey_page(request: HttpRequest, form: NewPasskeyForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "default_name": _device(request)}
    return _page(request, "accounts/enroll_passkey.html", context, status=status)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page of an enrollment, which an enrolled user can leave."""
    context |= {
        "next": next_url(request, account_page().address),
        "must_enroll": must_enroll(request),
    }
    return render(request, template, context, status=status)


def _device(request: HttpRequest) -> str:
    return describe_device(request.META.get("HTTP_USER_AGENT", ""))
