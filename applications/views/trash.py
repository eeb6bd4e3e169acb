"""The Trash page, and the dialog that restores a deleted application."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules
from applications import policy
from applications.filters import TrashFilterSet
from applications.models import TRASH_DAYS, DeletedApplication
from applications.search import search_trash
from applications.tables import TrashTable
from applications.trash import restoration_of, restore_application
from runai_access.errors import Conflict
from runai_access.lists.selection import ListFilter
from runai_access.ui.dialogs import leave_for, render_dialog
from runai_access.ui.list_views import Action, ListView, MenuLink

RESTORE = Action("restore", "RESTORE", "undo-2", for_bulk=False)


class TrashPage(ListView):
    """Access > Applications > Trash."""

    namespace = "trash"
    title, noun, plural = "Trash", "deleted application", "deleted applications"
    searched = "names, and who deleted them"
    empty_template = "applications/trash/_empty.html"
    table, filters = TrashTable, TrashFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[DeletedApplication]:
        return policy.deleted(caller_of(request))

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search_trash(text)

    def actions(self, request: HttpRequest) -> list[Action]:
        return [RESTORE] if policy.is_allowed(caller_of(request), "create") else []

    def more_links(self, request: HttpRequest) -> list[MenuLink]:
        hint = "those that were not deleted"
        return [MenuLink("Applications", hint, "key-round", resolve_url("applications:list"))]

    def extra_context(self, request: HttpRequest) -> dict[str, int]:
        return {"trash_days": TRASH_DAYS}


PAGE = TrashPage()


@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show what comes back and what does not; restore the application."""
    caller = caller_of(request)
    policy.require(caller, "create")
    deleted = policy.deleted_one(caller, id_)
    error, status = "", 200
    if request.method == "POST":
        try:
            restored = restore_application(caller=caller, application_id=id_)
        except Conflict as conflict:
            error, status = str(conflict), 409
        else:
            lost = restored.restoration.visible_lost_rules(caller.authority)
            messages.success(request, f"Application {restored.application} restored.")
            for rule in lost:
                messages.warning(request, f"Access rule not restored: {rule}.")
            return leave_for(request, restored.application.get_absolute_url())
    context = {
        "deleted": deleted,
        "restoration": restoration_of(deleted),
        "sees_all_rules": sees_all_rules(caller.authority),
        "error": error,
    }
    return render_dialog(
        request, "applications/trash/_restore.html", context,
        parent_page=PAGE.parent_page, status=status, row=id_,
    )  # fmt: skip
