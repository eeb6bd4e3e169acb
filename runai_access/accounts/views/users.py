"""The list of users."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from runai_access.accounts import policy
from runai_access.accounts.filters import UserFilterSet
from runai_access.accounts.models import User
from runai_access.accounts.search import search_users
from runai_access.accounts.tables import UserTable
from runai_access.accounts.views.tabs import tabs
from runai_access.lists.selection import ListFilter
from runai_access.ui.list_views import Action, ListView

GROUPS = Action("groups", "GROUPS", "users-round", for_bulk=False)
ADD_TO_GROUP = Action("add-to-group", "ADD TO GROUP", "users-round", for_one=False)
RESET = Action("reset-password", "RESET PASSWORD", "key-round", for_bulk=False)
DISABLE = Action("disable", "DISABLE", "circle-pause", when="enabled")
ENABLE = Action("enable", "ENABLE", "circle-play", when="disabled")
DELETE = Action("delete", "DELETE", "trash-2", for_bulk=False, is_danger=True)


class UserPage(ListView):
    """Access > Users."""

    namespace = "users"
    title, noun, plural = "Users", "user", "users"
    new = "NEW USER"
    searched = "emails, names, creators, roles and scopes"
    empty_template = "users/_empty.html"
    table, filters = UserTable, UserFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[User]:
        return policy.visible(caller_of(request))

    def authority(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, text: str, authority: Authority) -> ListFilter:
        return search_users(text, authority)

    def can_create(self, request: HttpRequest) -> bool:
        return policy.is_allowed(caller_of(request), "create")

    def actions(self, request: HttpRequest) -> list[Action]:
        caller = caller_of(request)
        actions = []
        if policy.GROUPS.is_allowed(caller, "update"):
            actions += [GROUPS, ADD_TO_GROUP]
        if policy.is_allowed(caller, "update"):
            actions += [RESET, DISABLE, ENABLE]
        if policy.is_allowed(caller, "delete"):
            actions.append(DELETE)
        return actions

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        authority = caller_of(request).authority
        return {
            "sees_all": policy.USERS.sees_all(authority),
            "tabs": tabs(authority),
        }


PAGE = UserPage()
