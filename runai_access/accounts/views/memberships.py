"""Group memberships: the dialogs of a user, of a group, and of a bulk selection of users."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import Outcome, run_bulk
from accessrules.actions.groups import add_member, remove_member
from accessrules.authorization.callers import Caller, caller_of
from accessrules.authorization.effective_access import visible_subjects
from accessrules.models import Subject
from runai_access.accounts import policy
from runai_access.accounts.forms import GroupForm, MembersForm
from runai_access.accounts.member_picker import MemberPicker
from runai_access.accounts.models import Group, User
from runai_access.accounts.views import groups, users
from runai_access.accounts.views.group import members_shown
from runai_access.errors import Denied, DomainError, NotFound
from runai_access.ui.dialogs import ParentPage, is_htmx_target, query_with_return_url, render_dialog
from runai_access.ui.reports import missing_rows, render_report, result_row

_STATUS = {Denied: 403, NotFound: 404}


@require_http_methods(["GET", "HEAD", "POST"])
def groups_of_user(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the groups of a user; a POST adds the user to a group or removes them."""
    caller = caller_of(request)
    user = policy.visible_one(caller, id_)
    policy.GROUPS.require(caller, "update")
    if request.method != "POST":
        return _of_user(request, user)
    group = _posted_group(request, caller)
    if group is None:
        error = "Select a group."
        return _of_user(request, user, [error], status=422)
    is_removal = "leave" in request.POST
    act = remove_member if is_removal else add_member
    outcomes = run_bulk(
        request, [group], lambda item: act(caller=caller, group=item, member=user.subject)
    )
    if outcomes[0].refusal:
        return _of_user(request, user, **_refused(outcomes))
    done = f"{user} {'removed from' if is_removal else 'added to'} {group}."
    return _finish(request, done, "users:groups", user.pk, users.PAGE.parent_page) or _of_user(
        request, user, changed=user.pk
    )


@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the members of a group, and with `?add` the form for new ones; a POST adds them."""
    caller = caller_of(request)
    group = policy.visible_group(caller, id_)
    policy.GROUPS.require(caller, "update")
    if request.method != "POST":
        if "add" not in request.GET:
            return _of_group(request, group)
        picker = MemberPicker(caller.authority, request.GET, group=group)
        return _of_group(request, group, form=MembersForm(picker=picker), picker=picker)
    picker = MemberPicker(caller.authority, request.POST, group=group)
    if request.POST.get("do") == "refresh":
        return _of_group(request, group, form=MembersForm(picker=picker), picker=picker)
    form = MembersForm(request.POST, picker=picker)
    if not form.is_valid():
        return _of_group(request, group, form=form, picker=picker, status=422)
    chosen: list[Subject] = form.cleaned_data["subject"]
    outcomes = run_bulk(
        request, chosen, lambda item: add_member(caller=caller, group=group, member=item)
    )
    added = [outcome.wanted.name for outcome in outcomes if not outcome.refusal]
    if len(added) < len(outcomes):
        rows = [result_row(o.wanted.name, f"added to {group}", o.refusal) for o in outcomes]
        return render_report(request, rows, parent_page=groups.PAGE.parent_page)
    done = f"{', '.join(added)} added to {group}."
    return _finish(request, done, "groups:members", group.pk, groups.PAGE.parent_page) or _of_group(
        request, group, changed=group.pk
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, id_: UUID, member_id: UUID) -> HttpResponse:
    """Remove a member from a group and show the remaining ones."""
    caller = caller_of(request)
    group = policy.visible_group(caller, id_)
    policy.GROUPS.require(caller, "update")
    if request.method != "POST":
        return redirect("groups:members", id_)
    member = visible_subjects(caller.authority).filter(pk=member_id).first()
    if member is None:
        raise NotFound("Member not found.")
    outcomes = run_bulk(
        request, [member], lambda item: remove_member(caller=caller, group=group, member=item)
    )
    if outcomes[0].refusal:
        return _of_group(request, group, **_refused(outcomes))
    done = f"{member} removed from {group}."
    return _finish(request, done, "groups:members", group.pk, groups.PAGE.parent_page) or _of_group(
        request, group, changed=group.pk
    )


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_add(request: HttpRequest) -> HttpResponse:
    """Add the selected users to a group, and report each outcome."""
    caller = caller_of(request)
    policy.GROUPS.require(caller, "update")
    keys = users.PAGE.selected_keys(request)
    rows = sorted(policy.visible(caller).filter(pk__in=keys), key=str)
    if not rows:
        return redirect(users.PAGE.address)
    form = GroupForm(request.POST if request.method == "POST" else None, groups=_groups(caller))
    if form.is_bound and form.is_valid():
        act = partial(_add, caller, form.chosen)
        report = [
            result_row(str(outcome.wanted), f"added to {form.chosen}", outcome.refusal)
            for outcome in run_bulk(request, rows, act)
        ]
        missing = missing_rows(len(keys) - len(rows), "user")
        return render_report(request, [*report, *missing], parent_page=users.PAGE.parent_page)
    context = {"form": form, "rows": rows}
    status = 422 if form.is_bound else 200
    return render_dialog(
        request,
        "users/_add_to_group.html",
        context,
        parent_page=users.PAGE.parent_page,
        status=status,
    )


def _add(caller: Caller, group: Group, user: User) -> None:
    add_member(caller=caller, group=group, member=user.subject)


def _groups(caller: Caller) -> Any:
    return policy.GROUPS.visible_rows(caller.authority).order_by("normalized_name", "pk")


def _posted_group(request: HttpRequest, caller: Caller) -> Group | None:
    form = GroupForm(request.POST, groups=_groups(caller))
    return form.chosen if form.is_valid() else None


def _refused(outcomes: list[Outcome[Any, Any]]) -> dict[str, Any]:
    refusal: DomainError | None = outcomes[0].refusal
    return {"errors": [str(refusal)], "status": _STATUS.get(type(refusal), 409)}  # type: ignore[arg-type]  # a refusal's


def _finish(
    request: HttpRequest, message: str, view: str, pk: UUID, parent_page: ParentPage
) -> HttpResponse | None:
    """Add a toast. Full pages get a redirect, so that a reload does not submit the form twice."""
    messages.success(request, message)
    if is_htmx_target(request, "dialog"):
        return None
    response = redirect(view, pk)
    response.headers["Location"] += query_with_return_url(request, parent_page)
    return response


def _of_user(
    request: HttpRequest,
    user: User,
    errors: list[str] | None = None,
    *,
    status: int = 200,
    changed: UUID | None = None,
) -> HttpResponse:
    all_groups = _groups(caller_of(request))
    held = all_groups.filter(memberships__member=user.subject)
    context = {
        "object": user,
        "groups": held,
        "others": all_groups.exclude(pk__in=held.values("pk")),
        "errors": errors or [],
    }
    return render_dialog(
        request, "users/_groups.html", context,
        parent_page=users.PAGE.parent_page, status=status, changed=changed, row=user.pk,
    )  # fmt: skip


def _of_group(  # the states of the dialog
    request: HttpRequest,
    group: Group,
    *,
    form: MembersForm | None = None,
    picker: MemberPicker | None = None,
    errors: list[str] | None = None,
    status: int = 200,
    changed: UUID | None = None,
) -> HttpResponse:
    context = {
        "group": group,
        **members_shown(group, caller_of(request).authority),
        "form": form,
        "subjects": picker,
        "errors": errors or [],
    }
    return render_dialog(
        request, "groups/_members.html", context,
        parent_page=groups.PAGE.parent_page, status=status, changed=changed, row=group.pk,
    )  # fmt: skip
