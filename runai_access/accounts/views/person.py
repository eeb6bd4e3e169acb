"""A person's own page."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.authorization.grants import rules_of
from accessrules.console.tables.history import last_events, sees_activity
from accessrules.console.tables.rules_of_subject import listed
from runai_access.accounts import policy
from runai_access.ui.dialogs import asks_for


@require_safe
def detail(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show facts, groups, rules and recent activity, as far as in sight."""
    caller = caller_of(request)
    authority = caller.authority
    person = policy.visible_one(caller, id_)
    rules = rules_of(person.subject) & authority.visible_rules()
    groups = policy.GROUPS.in_sight(authority).filter(memberships__member=person.subject)
    context: dict[str, Any] = {
        "person": person,
        "is_oneself": person.subject == caller.subject,
        "groups": groups.order_by("normalized_name", "pk"),
        "sees_all_groups": policy.GROUPS.sees_all(authority),
        "rules": listed(rules, person.subject, authority),
        "sees_all_rules": sees_all_rules(authority),
        "sees_rules": authority.allows_anywhere("read", "access_rules"),
        "may_update": policy.may(caller, "update"),
        "may_group": policy.GROUPS.may(caller, "update"),
        "may_grant": authority.allows_anywhere("create", "access_rules"),
        "sees_activity": sees_activity(caller),
        "oob": asks_for(request, "listing"),
    }
    if context["sees_activity"]:
        context["events"] = last_events(person.subject, "user")
    return render(request, "users/detail.html", context)
