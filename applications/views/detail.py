"""An application's own page."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from accessrules.authorization import ACCOUNT
from accessrules.callers import Caller, caller_of
from accessrules.models import AccessRule
from applications import policy
from applications.models import Application
from applications.views.access_rules import rules_of
from runai_access.audit.models import AuditEvent
from runai_access.errors import Denied
from runai_access.ui.dialogs import asks_for

EVENTS = 10
_RULES_LOOKED_AT = 500


@gzip_page  # holds no secret: its CSRF token is masked anew each time (BREACH)
@require_safe
def detail(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show facts, rules, recent activity, and how to get a token."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    context: dict[str, Any] = {
        "application": application,
        "rules": rules_of(caller, application),
        "sees_all_rules": caller.authority.allows("read", "access_rules", ACCOUNT),
        "may": {action: policy.may(caller, action) for action in ("update", "delete")},
        "may_grant": caller.authority.allows_anywhere("create", "access_rules"),
        "sees_activity": _sees_activity(caller),
        "base_url": settings.PUBLIC_URL,
        "oob": asks_for(request, "listing"),
    }
    if context["sees_activity"]:
        context["events"] = _events(application)
    return render(request, "applications/detail.html", context)


def _sees_activity(caller: Caller) -> bool:
    """Return whether the caller may read the record: administrators may, as in the API."""
    try:
        caller.authority.require_administrator()
    except Denied:
        return False
    return True


def _events(application: Application) -> list[AuditEvent]:
    """Return the last events on it, by it, and on its rules: each found by an index of its own."""
    rules = AccessRule.objects.filter(subject=application.subject_id).order_by("-pk")
    rule_ids = [str(pk) for pk in rules.values_list("pk", flat=True)[:_RULES_LOOKED_AT]]
    found = [
        AuditEvent.objects.filter(condition).order_by("-time", "-pk")[:EVENTS]
        for condition in (
            Q(entity_type="application", entity_id=str(application.pk)),
            Q(entity_type="access_rule", entity_id__in=rule_ids),
            Q(subject_id=application.pk),
        )
    ]
    events = {event.pk: event for part in found for event in part}.values()
    return sorted(events, key=lambda event: (event.time, event.pk), reverse=True)[:EVENTS]
