"""The dialogs that show a client secret: create, regenerate, replace and add; and the one that revokes.

Only the response to the POST contains the secret: there is no redirect, session entry or reload.
"""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from accessrules.authorization.callers import Caller, caller_of
from applications import policy
from applications.actions.creation import create_application
from applications.actions.new_secrets import IssuedSecret
from applications.actions.secrets import (
    add_secret,
    get_unrevoked_secret,
    regenerate_secret,
    revoke_secret,
)
from applications.containment import replace_secret_and_enable
from applications.copying import RulesToCopy, create_application_like, rules_to_copy
from applications.forms import AddSecretForm, CreateApplicationForm
from applications.models import Application
from applications.secret_reports import reports_of
from applications.views.listing import PAGE
from runai_access.compression import forbid_compression
from runai_access.errors import AlreadyDone, Busy, Conflict
from runai_access.ui.dialogs import finish_dialog, render_dialog
from runai_access.ui.forms import SubmissionForm, later

BUSY = "The server is creating too many secrets right now. Try again in a moment."


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, id_: UUID | None = None) -> HttpResponse:
    """Ask for a name; create the application and show its credentials once.

    With `id_`, it gets the access rules of that application which the caller can grant.
    """
    caller = caller_of(request)
    policy.require(caller, "create")
    original = policy.visible_one(caller, id_) if id_ else None
    if original:
        caller.require_recent_authentication_for(original.subject)
    form = CreateApplicationForm(request.POST if request.method == "POST" else None)
    show = partial(_form, request, "_create", form, original, rules=_rules_of(caller, original))
    if request.method != "POST":
        return show()
    if not form.is_valid():
        return show(status=422)
    name, submission = form.cleaned_data["name"], form.cleaned_data["submission"]
    try:
        issued, rules = _create(caller, name, submission, original)
    except AlreadyDone as error:
        application = policy.visible(caller).filter(submission=submission).first()
        return _already_done(request, error, application)
    except Conflict:
        form.add_error("name", f"An application named {name} already exists. Choose another name.")
        return show(status=409)
    except ValidationError as error:
        form.add_error(None, error)
        return show(status=422)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(show(status=503), busy.retry_after)
    return _show_secret(request, issued, f"Application {name} created.", is_new=True, rules=rules)


def _rules_of(caller: Caller, original: Application | None) -> RulesToCopy | None:
    return rules_to_copy(caller.authority, original) if original else None


def _create(
    caller: Caller, name: str, submission: UUID, original: Application | None
) -> tuple[IssuedSecret, RulesToCopy | None]:
    if original is None:
        issued = create_application(caller=caller, name=name, submission=submission)
        return issued, None
    copy = create_application_like(
        caller=caller, application_id=original.pk, name=name, submission=submission
    )
    return copy.issued, copy.rules


@require_http_methods(["GET", "HEAD", "POST"])
def regenerate(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Warn that this revokes the current secret; replace it and show the new one once."""
    application = _manageable(caller_of(request), id_)
    replace = regenerate_secret
    return _replace(request, application, "_regenerate", replace, "Client secret regenerated.")


@require_http_methods(["GET", "HEAD", "POST"])
def replace_and_enable(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Say what happens to a contained application; replace its secrets with one and enable it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    return _replace(
        request,
        _manageable(caller, id_),
        "_replace_and_enable",
        replace_secret_and_enable,
        f"Application {application} enabled with a new client secret.",
    )


def _replace(
    request: HttpRequest,
    application: Application,
    template: str,
    replace: Callable[..., IssuedSecret],
    message: str,
) -> HttpResponse:
    """Show a form; replace the secrets of the application and show the new one once."""
    if request.method != "POST":
        return _form(request, template, SubmissionForm(), application)
    form = SubmissionForm(request.POST)
    if not form.is_valid():
        return _form(request, template, form, application, status=422)
    try:
        issued = replace(
            caller=caller_of(request),
            application_id=application.pk,
            submission=form.cleaned_data["submission"],
        )
    except AlreadyDone as error:
        return _already_done(request, error, application)
    except Conflict as conflict:
        form.add_error(None, str(conflict))
        return _form(request, template, form, application, status=409)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(_form(request, template, form, application, status=503), busy.retry_after)
    return _show_secret(request, issued, message)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Ask for a label and an expiry; add a client secret and show it once."""
    caller = caller_of(request)
    application = _manageable(caller, id_)
    if request.method != "POST":
        return _form(request, "_add_secret", AddSecretForm(), application)
    form = AddSecretForm(request.POST)
    if not form.is_valid():
        return _form(request, "_add_secret", form, application, status=422)
    try:
        issued = add_secret(
            caller=caller, application_id=id_, label=form.cleaned_data["label"],
            expires_at=form.cleaned_data["date"], submission=form.cleaned_data["submission"],
        )  # fmt: skip
    except AlreadyDone as error:
        return _already_done(request, error, application)
    except Conflict as conflict:
        form.add_error(None, str(conflict))
        return _form(request, "_add_secret", form, application, status=409)
    except ValidationError as error:
        for field, messages_ in error.message_dict.items():
            form.add_error("date" if field == "expiresAt" else field, messages_)
        return _form(request, "_add_secret", form, application, status=422)
    except Busy as busy:
        form.add_error(None, BUSY)
        return later(_form(request, "_add_secret", form, application, status=503), busy.retry_after)
    return _show_secret(request, issued, "Client secret added.", is_added=True)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, id_: UUID, secret_id: str) -> HttpResponse:
    """Warn that clients with this secret stop working; revoke it."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require_can_manage_secrets(caller, application)
    if request.method == "POST":
        revoke_secret(caller=caller, application_id=id_, secret_id=secret_id)
        messages.success(request, "Client secret revoked.")
        return finish_dialog(request, PAGE.parent_page, changed=id_)
    secret = get_unrevoked_secret(application, secret_id)
    context = {
        "application": application,
        "secret": secret,
        "report": reports_of(application, secret.pk)[0],
        "others": application.secrets.live().exclude(pk=secret_id).count(),
    }
    return render_dialog(
        request, "applications/_revoke_secret.html", context,
        parent_page=PAGE.parent_page, row=id_,
    )  # fmt: skip


def _manageable(caller: Caller, id_: UUID) -> Application:
    """Return the application if the caller can manage its credentials."""
    application = policy.visible_one(caller, id_)
    policy.require_can_manage_secrets(caller, application)
    caller.authority.require_can_impersonate(application.subject)
    caller.require_recent_authentication_for(application.subject)
    return application


def _form(
    request: HttpRequest,
    template: str,
    form: SubmissionForm,
    application: Application | None = None,
    *,
    status: int = 200,
    rules: RulesToCopy | None = None,
) -> HttpResponse:
    """Show a form in a dialog; without `application`, it is not about an existing one."""
    return render_dialog(
        request,
        f"applications/{template}.html",
        {"form": form, "application": application, "rules": rules},
        parent_page=PAGE.parent_page,
        status=status,
        row=application and application.pk,
    )


def _show_secret(
    request: HttpRequest,
    issued: IssuedSecret,
    message: str,
    *,
    is_new: bool = False,
    is_added: bool = False,
    rules: RulesToCopy | None = None,
) -> HttpResponse:
    context = {
        "application": issued.application,
        "secret": issued.secret,
        "is_new": is_new,
        "is_added": is_added,
        "rules": rules,
        "base_url": settings.PUBLIC_URL,
    }
    response = render_dialog(
        request, "applications/_secret.html", context,
        parent_page=PAGE.parent_page, changed=issued.application.pk, is_new=is_new, is_last=True,
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    forbid_compression(response)
    # Added after rendering, so that the list shows the toast and this dialog does not.
    messages.success(request, message)
    return response


def _already_done(
    request: HttpRequest, error: AlreadyDone, application: Application | None
) -> HttpResponse:
    context = {"reason": str(error), "application": application}
    return render_dialog(
        request,
        "applications/_already_done.html",
        context,
        parent_page=PAGE.parent_page,
        status=409,
        row=application.pk if application else None,
        changed=application.pk if application else "",
    )
