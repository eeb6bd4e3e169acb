"""The two dialogs that show a temporary password: create a user, and reset a password.

Only the response to the POST contains the password: there is no redirect, session entry or reload.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_http_methods

from accessrules.authorization.callers import Caller, caller_of
from runai_access.accounts import actions, policy
from runai_access.accounts.forms import NewUserForm
from runai_access.accounts.models import User
from runai_access.accounts.views.users import PAGE
from runai_access.compression import forbid_compression
from runai_access.errors import AlreadyDone, Busy, Conflict
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.forms import SubmissionForm, later

BUSY = "The server is creating too many passwords right now. Try again in a moment."


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for an email; create the user and show the temporary password once."""
    caller = caller_of(request)
    policy.require(caller, "create")
    if request.method != "POST":
        return _create_form(request, NewUserForm())
    form = NewUserForm(request.POST)
    if not form.is_valid():
        return _create_form(request, form, status=422)
    email, submission = form.cleaned_data["email"], form.cleaned_data["submission"]
    try:
        issued = actions.invite_user(
            caller=caller,
            email=email,
            display_name=form.cleaned_data["display_name"],
            submission=submission,
        )
    except AlreadyDone as error:
        return _already_done(request, error, _visible_user(caller, email))
    except Conflict:
        taken = _visible_user(caller, email)
        is_disabled = taken is not None and not taken.enabled
        note = " but is disabled" if is_disabled else ""
        form.add_error("email", f"A user with the email {email} already exists{note}.")
        return _create_form(request, form, status=409, taken=taken)
    except ValidationError as error:
        form.add_error(None, error)
        return _create_form(request, form, status=422)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(_create_form(request, form, status=503), busy.retry_after)
    return _show_password(request, issued, f"User {issued.user} created.", is_new=True)


@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Warn that the password and all sessions end; set a temporary password and show it once."""
    caller = caller_of(request)
    user = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    caller.authority.require_can_impersonate(user.subject)
    caller.require_recent_authentication_for(user.subject)
    if user.subject == caller.subject:
        return redirect("accounts:password")  # users change their own password directly
    if request.method != "POST":
        return _reset_form(request, SubmissionForm(), user)
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _reset_form(request, form, user, status=422)
    try:
        issued = actions.give_temporary_password(
            caller=caller, user_id=id_, submission=form.cleaned_data["submission"]
        )
    except AlreadyDone as error:
        return _already_done(request, error, user)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(_reset_form(request, form, user, status=503), busy.retry_after)
    return _show_password(request, issued, f"Password of {user} reset.", is_new=False)


def _visible_user(caller: Caller, email: str) -> User | None:
    """Return the user with that email, if visible."""
    return (
        policy.USERS.visible_rows(caller.authority)
        .filter(pk__in=User.objects.with_email(email))
        .first()
    )


def _create_form(
    request: HttpRequest, form: NewUserForm, *, status: int = 200, taken: User | None = None
) -> HttpResponse:
    can_enable = policy.is_allowed(caller_of(request), "update")
    context = {"form": form, "taken": taken, "can_enable": can_enable}
    return render_dialog(
        request, "users/_create.html", context, parent_page=PAGE.parent_page, status=status
    )


def _reset_form(
    request: HttpRequest, form: SubmissionForm, user: User, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "object": user}
    return render_dialog(
        request, "users/_reset_password.html", context,
        parent_page=PAGE.parent_page, status=status, row=user.pk,
    )  # fmt: skip


def _show_password(
    request: HttpRequest, issued: actions.IssuedPassword, message: str, *, is_new: bool
) -> HttpResponse:
    context = {
        "object": issued.user,
        "password": issued.password,
        "is_new": is_new,
        "sign_in_url": settings.PUBLIC_URL + resolve_url(settings.LOGIN_URL),
    }
    response = render_dialog(
        request, "users/_secret.html", context, parent_page=PAGE.parent_page,
        changed=issued.user.pk, is_new=is_new, is_last=True,
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    forbid_compression(response)
    # Added after rendering, so that the list shows the toast and this dialog does not.
    messages.success(request, message)
    return response


def _already_done(request: HttpRequest, error: AlreadyDone, user: User | None) -> HttpResponse:
    context = {"reason": str(error), "object": user}
    return render_dialog(
        request, "users/_already_done.html", context, parent_page=PAGE.parent_page, status=409,
        row=user.pk if user else None, changed=user.pk if user else "",
    )  # fmt: skip
