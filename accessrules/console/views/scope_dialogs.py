"""Dialogs that create, rename, move and delete scopes."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods

from accessrules.actions import scopes as scope_actions
from accessrules.authorization import effective_access, scope_policy
from accessrules.authorization.authority import Authority
from accessrules.authorization.breadcrumbs import full_names
from accessrules.authorization.callers import Caller, caller_of, record_denial
from accessrules.console.forms import MoveScopeForm, NewScopeForm, ScopeNameForm
from accessrules.console.pickers.scopes import ParentPicker
from accessrules.console.views.scope_list import parent_page
from accessrules.models import AccessRule, Scope
from runai_access.errors import Conflict, Denied, NotFound
from runai_access.ui.dialogs import finish_dialog, render_dialog

CHANGES_SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a parent; create the scope."""
    caller = caller_of(request)
    authority = caller.authority
    types = scope_policy.creatable_types(authority)
    if not types:
        authority.require_anywhere("create", Scope.Type.PROJECT)
    given = request.POST if request.method == "POST" else request.GET
    picker = ParentPicker(authority, given, types)
    if request.method != "POST":
        form = NewScopeForm(initial={"scope": picker.scope}, parents=picker.scopes)
        return _create_form(request, form, picker)
    form = NewScopeForm(request.POST, parents=picker.scopes)
    if picker.is_searching:
        form = NewScopeForm(initial=request.POST.dict(), parents=picker.scopes)
        return _create_form(request, form, picker)
    if not form.is_valid():
        return _create_form(request, form, picker, status=422)
    parent, name = form.cleaned_data["scope"], form.cleaned_data["name"]
    try:
        created = scope_actions.create_scope(caller=caller, parent=parent, name=name)
    except (Denied, Conflict, NotFound, ValidationError) as error:
        status = _add_error(request, form, error)
        return _create_form(request, form, picker, status=status)
    messages.success(request, f"{_capitalized(created.label)} created.")
    return finish_dialog(request, parent_page(request), changed=created.pk, is_new=True)


def _create_form(
    request: HttpRequest, form: NewScopeForm, picker: ParentPicker, *, status: int = 200
) -> HttpResponse:
    parent = picker.chosen[0].scope if picker.chosen else None
    child = Scope.CHILD_TYPE[Scope.Type(parent.type)].label.lower() if parent else "scope"
    context = {"form": form, "picker": picker, "child": child}
    row = parent.pk if parent else None
    return _render(request, "_create", context, status=status, row=row)


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, scope_id: int) -> HttpResponse:
    """Ask for a new name; rename the scope."""
    caller = caller_of(request)
    scope = scope_policy.get_visible_scope(caller.authority, scope_id)
    caller.authority.require("update", scope.type, scope)
    form = ScopeNameForm(request.POST or None, initial={"name": scope.name})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                renamed = scope_actions.rename_scope(
                    caller=caller, scope=scope, name=form.cleaned_data["name"]
                )
            except (Denied, Conflict, NotFound, ValidationError) as error:
                status = _add_error(request, form, error)
            else:
                messages.success(request, f"{_capitalized(scope.label)} renamed to {renamed.name}.")
                return finish_dialog(request, parent_page(request), changed=scope.pk)
    context = {"form": form, "scope": scope}
    return _render(request, "_rename", context, status=status, row=scope.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, scope_id: int) -> HttpResponse:
    """Ask for the new parent, preview the changes in access, then move the scope."""
    caller = caller_of(request)
    scope = scope_policy.get_visible_scope(caller.authority, scope_id)
    _require_can_move_from(caller.authority, scope)
    picker = ParentPicker(caller.authority, request.POST, [scope.type])
    form = MoveScopeForm(initial={"scope": picker.scope}, parents=picker.scopes)
    target = picker.chosen[0].scope if picker.chosen else None
    if request.method != "POST" or picker.is_searching:
        return _move_form(request, scope, form, picker)
    form = MoveScopeForm(request.POST, parents=picker.scopes)
    if not form.is_valid() or target is None:
        return _move_form(request, scope, form, picker, status=422)
    if request.POST.get("seen") != str(target.pk):  # show the preview first
        return _move_form(request, scope, form, picker)
    try:
        moved = scope_actions.move_scope(caller=caller, scope=scope, target=target)
    except (Denied, Conflict, NotFound) as error:
        status = _add_error(request, form, error)
        return _move_form(request, scope, form, picker, status=status)
    messages.success(request, f"{_capitalized(moved.label)} moved to {target.label}.")
    return finish_dialog(request, parent_page(request), changed=moved.pk)


def _require_can_move_from(authority: Authority, scope: Scope) -> None:
    authority.require_anywhere("create", scope.type)
    if scope.parent:
        authority.require_can_move_from(scope, source=scope.parent)


def _move_form(
    request: HttpRequest,
    scope: Scope,
    form: MoveScopeForm,
    picker: ParentPicker,
    *,
    status: int = 200,
) -> HttpResponse:
    authority = caller_of(request).authority
    context: dict[str, Any] = {"form": form, "picker": picker, "scope": scope}
    if picker.chosen:
        target = picker.chosen[0].scope
        context |= {"target": target, "refusal": _refusal(authority, scope, target)}
        if not context["refusal"]:
            changes = effective_access.changes_by_moving(scope, target, authority)
            context |= {
                "sees_changes": effective_access.sees_changes_by_moving(scope, target, authority),
                "changes": changes[:CHANGES_SHOWN],
                "more_changes": max(0, len(changes) - CHANGES_SHOWN),
            }
    return _render(request, "_move", context, status=status, row=scope.pk)


def _refusal(authority: Authority, scope: Scope, target: Scope) -> str:
    """Return why `scope` can't be moved to `target`, or an empty string."""
    try:
        scope_actions.require_can_move(authority, scope, target)
    except (Denied, Conflict) as error:
        return str(error)
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, scope_id: int) -> HttpResponse:
    """Show what blocks deleting the scope; if nothing does, delete it."""
    caller = caller_of(request)
    scope = scope_policy.get_visible_scope(caller.authority, scope_id)
    caller.authority.require("delete", scope.type, scope)
    status, error = 200, ""
    if request.method == "POST":
        try:
            scope_actions.delete_scope(caller=caller, scope=scope)
        except (Conflict, NotFound) as refused:
            status, error = _status(refused), str(refused)
        else:
            messages.success(request, f"{_capitalized(scope.label)} deleted.")
            return finish_dialog(request, parent_page(request), gone=_page_of(scope))
    return _render(request, "_delete", _blockers(caller, scope, error), status=status, row=scope.pk)


def _blockers(caller: Caller, scope: Scope, error: str) -> dict[str, Any]:
    """Return what blocks deleting `scope`: visible items are counted, hidden ones only mentioned."""
    child = Scope.CHILD_TYPE.get(Scope.Type(scope.type))
    rules = AccessRule.objects.living().filter(scope=scope).count()
    visible_rules = caller.authority.visible_rules().living().filter(scope=scope).count()
    visible_children = caller.authority.visible_scopes().filter(parent=scope).count()
    children = scope.children.count()
    return {
        "scope": scope,
        "error": error,
        "full_name": full_names([scope])[scope.path],
        "is_blocked": bool(rules or children),
        "rules": visible_rules,
        "hides_rules": rules > visible_rules,
        "child_scopes": visible_children,
        "hides_scopes": children > visible_children,
        "child": child.label.lower() if child else "",
    }


def _page_of(scope: Scope) -> str:
    return resolve_url("accessrules:scope-access", scope.pk)


def _add_error(request: HttpRequest, form: Any, error: Exception) -> int:
    """Add the error to the form; return its HTTP status."""
    if isinstance(error, Denied):
        record_denial(request, error)
    if isinstance(error, ValidationError):
        form.add_error(None, error)
    else:
        field = error.field if isinstance(error, Conflict) else ""
        form.add_error(field if field in form.fields else None, str(error))
    return _status(error)


def _status(error: Exception) -> int:
    statuses = {Denied: 403, NotFound: 404, Conflict: 409}
    return statuses.get(type(error), 422)


def _capitalized(label: str) -> str:
    return label[:1].upper() + label[1:]


def _render(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int, row: int | None
) -> HttpResponse:
    template = f"accessrules/scopes/{name}.html"
    return render_dialog(
        request, template, context, parent_page=parent_page(request), status=status, row=row
    )
