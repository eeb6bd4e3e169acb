"""The detail page of an application."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accessrules.authorization.authority import ACCOUNT
from accessrules.authorization.callers import caller_of
from accessrules.console.tables.history import last_events, sees_activity
from applications import policy
from applications.views.access_rules import rules_of
from runai_access.ui.dialogs import is_htmx_target


@require_safe
def detail(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show the details, rules and recent activity of an application, and how to get a token."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    context: dict[str, Any] = {
        "application": application,
        "rules": rules_of(caller, application),
        "sees_all_rules": caller.authority.allows("read", "access_rules", ACCOUNT),
        "can_update": policy.is_allowed(caller, "update"),
        "can_delete": policy.is_allowed(caller, "delete"),
        "can_grant": caller.authority.allows_anywhere("create", "access_rules"),
        "sees_activity": sees_activity(caller),
        "base_url": settings.PUBLIC_URL,
        "oob": is_htmx_target(request, "listing"),
    }
    if context["sees_activity"]:
        context["events"] = last_events(application.subject, "application")
    return render(request, "applications/detail.html", context)
