"""The list of people."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accessrules.authorization.authority import Authority
from accessrules.authorization.callers import caller_of
from runai_access.accounts import policy
from runai_access.accounts.filters import UserFilterSet
from runai_access.accounts.models import User
from runai_access.accounts.search import search_people
from runai_access.accounts.tables import UserTable
from runai_access.accounts.views.tabs import tabs
from runai_access.ui.list_views import Action, ListPage

GROUPS = Action("groups", "GROUPS", "users-round", for_several=False)
ADD_TO_GROUP = Action("add-to-group", "ADD TO GROUP", "users-round", for_one=False)
RESET = Action("reset-password", "RESET PASSWORD", "key-round", for_several=False)
DISABLE = Action("disable", "DISABLE", "circle-pause", when="enabled")
ENABLE = Action("enable", "ENABLE", "circle-play", when="disabled")


class UserPage(ListPage):
    """Access > Users."""

    namespace = "users"
    title, noun, plural = "Users", "user", "users"
    new = "NEW USER"
    searched = "the e-mail, the creator, or the roles and scopes of the rules"
    empty_template = "users/_empty.html"
    table, filters = UserTable, UserFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[User]:
        return policy.visible(caller_of(request))

    def asks(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search(self, rows: QuerySet[Any], text: str, asks: Authority) -> QuerySet[Any]:
        return search_people(rows, text, asks)

    def may_create(self, request: HttpRequest) -> bool:
        return policy.may(caller_of(request), "create")

    def actions(self, request: HttpRequest) -> list[Action]:
        caller = caller_of(request)
        actions = []
        if policy.GROUPS.may(caller, "update"):
            actions += [GROUPS, ADD_TO_GROUP]
        if policy.may(caller, "update"):
            actions += [RESET, DISABLE, ENABLE]
        return actions

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        authority = caller_of(request).authority
        return {
            "sees_all": policy.PEOPLE.sees_all(authority),
            "tabs": tabs(authority),
        }


PAGE = UserPage()
