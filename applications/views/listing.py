"""The list of applications."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import resolve_url

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from applications import policy
from applications.filters import MINE, ApplicationFilterSet
from applications.models import TRASH_DAYS, Application
from applications.search import permission_filter, search
from applications.tables import ApplicationTable
from runai_access.lists.selection import ListFilter
from runai_access.ui.dialogs import ParentPage
from runai_access.ui.list_views import Action, ListView, MenuLink

ACCESS_RULES = Action("access-rules", "ACCESS RULES", "shield-check", for_bulk=False)
ADD_RULE = Action("add-rule", "ADD ACCESS RULE", "shield-plus", for_one=False)
REGENERATE = Action("regenerate", "REGENERATE CLIENT SECRET", "refresh-cw", for_bulk=False)
DETAILS = Action("details", "EDIT DETAILS", "tag")
DISABLE = Action("disable", "DISABLE", "circle-pause", when="enabled")
ENABLE = Action("enable", "ENABLE", "circle-play", when="disabled")
CONTAIN = Action("contain", "CONTAIN", "siren", for_bulk=False, is_danger=True)
DELETE = Action("delete", "DELETE", "trash-2", is_danger=True)
# The filter of the built-in view.
MY_APPLICATIONS = f"owner__{MINE.name}"


class ApplicationPage(ListView):
    """Access > Applications."""

    namespace = "applications"
    title, noun, plural = "Applications", "application", "applications"
    new = "NEW APPLICATION"
    searched = "names, creators, owners, descriptions, labels, roles and scopes"
    empty_template = "applications/_empty.html"
    table, filters = ApplicationTable, ApplicationFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[Application]:
        return policy.visible(caller_of(request))

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search(text, authority)

    def permission_filter(self, authority: Authority) -> ListFilter | None:
        return permission_filter(authority)

    def can_create(self, request: HttpRequest) -> bool:
        return policy.is_allowed(caller_of(request), "create")

    def actions(self, request: HttpRequest) -> list[Action]:
        caller = caller_of(request)
        actions = [ACCESS_RULES]
        if caller.authority.allows_anywhere("create", "access_rules"):
            actions.append(ADD_RULE)
        if policy.is_allowed(caller, "update"):
            actions += [REGENERATE, DETAILS, DISABLE, ENABLE, CONTAIN]
        if policy.is_allowed(caller, "delete"):
            actions.append(DELETE)
        return actions

    def more_links(self, request: HttpRequest) -> list[MenuLink]:
        hint, address = "in a log, a chat or a file", resolve_url("applications:find-secret")
        links = [MenuLink("Find a secret", hint, "scan-search", address)]
        if policy.sees_all(caller_of(request).authority):
            days = f"deleted in the last {TRASH_DAYS} days"
            links.append(MenuLink("Trash", days, "trash-2", resolve_url("trash:list")))
        return links

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        mine = ParentPage("My applications", f"{self.address}?{MY_APPLICATIONS}=1")
        is_mine = bool(request.GET.get(MY_APPLICATIONS))
        return {
            "sees_all": policy.sees_all(caller_of(request).authority),
            "tabs": [ParentPage("All applications", self.address), mine],
            "current_tab": mine.address if is_mine else self.address,
        }


PAGE = ApplicationPage()
