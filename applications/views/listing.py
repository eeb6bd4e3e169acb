"""The list of applications."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accessrules.authorization.authority import ACCOUNT, Authority
from accessrules.authorization.callers import caller_of
from applications import policy
from applications.filters import ApplicationFilterSet
from applications.models import Application
from applications.search import in_sight, search
from applications.tables import ApplicationTable
from runai_access.lists.selection import Narrowing
from runai_access.ui.list_views import Action, ListPage

ACCESS_RULES = Action("access-rules", "ACCESS RULES", "shield-check", for_several=False)
ADD_RULE = Action("add-rule", "ADD ACCESS RULE", "shield-plus", for_one=False)
REGENERATE = Action("regenerate", "REGENERATE CLIENT SECRET", "refresh-cw", for_several=False)
DISABLE = Action("disable", "DISABLE", "circle-pause", when="enabled")
ENABLE = Action("enable", "ENABLE", "circle-play", when="disabled")
DELETE = Action("delete", "DELETE", "trash-2", is_danger=True)


class ApplicationPage(ListPage):
    """Access > Applications."""

    namespace = "applications"
    title, noun, plural = "Applications", "application", "applications"
    new = "NEW APPLICATION"
    searched = "its name, its creator, or the roles and scopes of its rules"
    empty_template = "applications/_empty.html"
    table, filters = ApplicationTable, ApplicationFilterSet

    def rows(self, request: HttpRequest) -> QuerySet[Application]:
        return policy.visible(caller_of(request))

    def asks(self, request: HttpRequest) -> Authority:
        return caller_of(request).authority

    def search_narrowing(self, text: str, asks: Authority) -> Narrowing:
        return search(text, asks)

    def sight(self, asks: Authority) -> Narrowing | None:
        return None if asks.allows("read", "apps", ACCOUNT) else in_sight(asks)

    def may_create(self, request: HttpRequest) -> bool:
        return policy.may(caller_of(request), "create")

    def actions(self, request: HttpRequest) -> list[Action]:
        caller = caller_of(request)
        actions = [ACCESS_RULES]
        if caller.authority.allows_anywhere("create", "access_rules"):
            actions.append(ADD_RULE)
        if policy.may(caller, "update"):
            actions += [REGENERATE, DISABLE, ENABLE]
        if policy.may(caller, "delete"):
            actions.append(DELETE)
        return actions

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"sees_all": caller_of(request).authority.allows("read", "apps", ACCOUNT)}


PAGE = ApplicationPage()
