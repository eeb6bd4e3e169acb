"""The list of groups."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from runai_access.accounts import policy
from runai_access.accounts.filters import GroupFilterSet
from runai_access.accounts.models import Group
from runai_access.accounts.search import search_groups
from runai_access.accounts.tables import GroupTable
from runai_access.accounts.views.tabs import tabs
from runai_access.lists.selection import ListFilter
from runai_access.ui.list_views import Action, ListView

MEMBERS = Action("members", "MEMBERS", "users-round", for_bulk=False)
DISABLE = Action("disable", "DISABLE", "circle-pause", when="enabled")
ENABLE = Action("enable", "ENABLE", "circle-play", when="disabled")
DELETE = Action("delete", "DELETE", "trash-2", for_bulk=False, is_danger=True)


class GroupPage(ListView):
    """Access > Users > Groups."""

    namespace = "groups"
    title, noun, plural = "Groups", "group", "groups"
    new = "NEW GROUP"
    searched = "names, roles and scopes"
    empty_template = "groups/_empty.html"
    table, filters = GroupTable, GroupFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[Group]:
        return policy.GROUPS.visible(caller_of(request))

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search_groups(text, authority)

    def can_create(self, request: HttpRequest) -> bool:
        return policy.GROUPS.is_allowed(caller_of(request), "create")

    def actions(self, request: HttpRequest) -> list[Action]:
        caller = caller_of(request)
        actions = []
        if policy.GROUPS.is_allowed(caller, "update"):
            actions += [MEMBERS, DISABLE, ENABLE]
        if policy.GROUPS.is_allowed(caller, "delete"):
            actions.append(DELETE)
        return actions

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        authority = caller_of(request).authority
        return {
            "sees_all": policy.GROUPS.sees_all(authority),
            "tabs": tabs(authority),
        }


PAGE = GroupPage()
