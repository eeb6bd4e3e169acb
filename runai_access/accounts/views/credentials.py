"""The two dialogs whose answer shows a temporary password: creating a person, and resetting.

The password is in the answer of the POST and nowhere else: no redirect, no session, no reload.
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
from runai_access.accounts.forms import NewPersonForm
from runai_access.accounts.models import User
from runai_access.accounts.views.people import PAGE
from runai_access.compression import forbid_compression
from runai_access.errors import AlreadyDone, Busy, Conflict
from runai_access.ui.dialogs import render_dialog
from runai_access.ui.forms import SubmissionForm, later

BUSY = "Too many passwords are being made at once. Try again in a moment."


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for an e-mail; create the person and show the temporary password this once."""
    caller = caller_of(request)
    policy.require(caller, "create")
    if request.method != "POST":
        return _create_form(request, NewPersonForm())
    form = NewPersonForm(request.POST)
    if not form.is_valid():
        return _create_form(request, form, status=422)
    email, submission = form.cleaned_data["email"], form.cleaned_data["submission"]
    try:
        issued = actions.invite_user(caller=caller, email=email, submission=submission)
    except AlreadyDone as error:
        return _already_done(request, error, _named(caller, email))
    except Conflict:
        taken = _named(caller, email)
        is_disabled = taken is not None and not taken.enabled
        form.add_error(
            "email", f"{email} is here already{', and disabled' if is_disabled else ''}."
        )
        return _create_form(request, form, status=409, taken=taken)
    except ValidationError as error:
        form.add_error(None, error)
        return _create_form(request, form, status=422)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(_create_form(request, form, status=503), busy.retry_after)
    return _show_password(request, issued, f"User {issued.user} is created.", is_new=True)


@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Warn that the password and every session end; give a temporary one and show it this once."""
    caller = caller_of(request)
    person = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    caller.authority.require_may_handle(person.subject)
    if person.subject == caller.subject:
        return redirect("accounts:password")  # nobody needs a temporary password of their own
    if request.method != "POST":
        return _reset_form(request, SubmissionForm(), person)
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _reset_form(request, form, person, status=422)
    try:
        issued = actions.give_temporary_password(
            caller=caller, user_id=id_, submission=form.cleaned_data["submission"]
        )
    except AlreadyDone as error:
        return _already_done(request, error, person)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(_reset_form(request, form, person, status=503), busy.retry_after)
    return _show_password(request, issued, f"The password of {person} is reset.", is_new=False)


def _named(caller: Caller, email: str) -> User | None:
    """Return the person of that e-mail, if in sight."""
    return (
        policy.PEOPLE.in_sight(caller.authority)
        .filter(pk__in=User.objects.with_email(email))
        .first()
    )


def _create_form(
    request: HttpRequest, form: NewPersonForm, *, status: int = 200, taken: User | None = None
) -> HttpResponse:
    may_enable = policy.may(caller_of(request), "update")
    context = {"form": form, "taken": taken, "may_enable": may_enable}
    return render_dialog(request, "users/_create.html", context, home=PAGE.home, status=status)


def _reset_form(
    request: HttpRequest, form: SubmissionForm, person: User, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "person": person}
    return render_dialog(
        request, "users/_reset_password.html", context,
        home=PAGE.home, status=status, row=person.pk,
    )  # fmt: skip


def _show_password(
    request: HttpRequest, issued: actions.Issued, done: str, *, is_new: bool
) -> HttpResponse:
    context = {
        "person": issued.user,
        "password": issued.password,
        "is_new": is_new,
        "sign_in_url": settings.PUBLIC_URL + resolve_url(settings.LOGIN_URL),
    }
    response = render_dialog(
        request, "users/_secret.html", context, home=PAGE.home, changed=issued.user.pk
    )
    response.headers["Cache-Control"] = "no-store"
    forbid_compression(response)
    # Only now, so that the list behind shows it and not this answer.
    messages.success(request, done)
    return response


def _already_done(request: HttpRequest, error: AlreadyDone, person: User | None) -> HttpResponse:
    context = {"reason": str(error), "person": person}
    return render_dialog(
        request, "users/_already_done.html", context, home=PAGE.home, status=409,
        row=person.pk if person else None, changed=person.pk if person else "",
    )  # fmt: skip
