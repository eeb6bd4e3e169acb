"""The detail page of an application."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accessrules.authorization.callers import caller_of
from accessrules.authorization.effective_access import sees_all_rules
from accessrules.console.tables.history import last_events
from accessrules.console.tables.rules_of_subject import listed
from applications import dormancy, policy
from applications.actions.secrets import REGENERATED
from applications.addresses import is_allowed
from applications.models import Application
from applications.oauth.client_authentication import WRONG_ADDRESS
from applications.oauth.tokens import lifetime_of
from applications.secret_reports import reports_of
from runai_access.audit.models import AuditEvent
from runai_access.ui.dialogs import is_htmx_target

_REFUSALS_SHOWN = timedelta(days=7)
_MAX_REFUSED = 20


@require_safe
def detail(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show an application: details, secrets, rules, recent activity, and how to get a token."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    authority = caller.authority
    rules = authority.visible_rules().living().filter(subject=application.subject)
    can_update = policy.is_allowed(caller, "update")
    can_manage_secrets = policy.can_manage_secrets(caller, application)
    context: dict[str, Any] = {
        "application": application,
        "dormancy": dormancy.notice_of(application),
        "reports": reports_of(application),
        "max_age_days": settings.SECRET_MAX_AGE_DAYS,
        "rules": listed(rules, application.subject),
        "sees_all_rules": sees_all_rules(authority),
        "can_create": policy.is_allowed(caller, "create"),
        "can_update": can_update,
        "can_manage_secrets": can_manage_secrets,
        "can_replace": can_manage_secrets and can_update,
        "can_delete": policy.is_allowed(caller, "delete"),
        "can_grant": authority.allows_anywhere("create", "access_rules"),
        "sees_activity": authority.reads_audit_log,
        "token_lifetime": lifetime_of(application),
        "refused_addresses": _refused_addresses(application),
        "base_url": settings.PUBLIC_URL,
        "oob": is_htmx_target(request, "listing"),
    }
    if context["sees_activity"]:
        context["events"] = last_events(application.subject, "application")
        context["regenerated"] = _last_regeneration(application)
    return render(request, "applications/detail.html", context)


def _refused_addresses(application: Application) -> list[Any]:
    """Return the addresses refused in the last 7 days that are still not allowed, latest first."""
    refusals = AuditEvent.objects.filter(
        entity_type="application", entity_id=str(application.pk), reason=WRONG_ADDRESS,
        time__gte=timezone.now() - _REFUSALS_SHOWN,
    ).exclude(source_ip=None)  # fmt: skip
    latest = refusals.order_by().values("source_ip").annotate(last=Max("time")).order_by("-last")
    networks = application.allowed_addresses
    found = latest[:_MAX_REFUSED] if networks else []
    return [one for one in found if not is_allowed(networks, one["source_ip"])]


def _last_regeneration(application: Application) -> AuditEvent | None:
    """Return the event of the last regeneration of the secret, if the audit log still has it."""
    events = AuditEvent.objects.filter(
        entity_type="application",
        entity_id=str(application.pk),
        changes__clientSecret=REGENERATED,
    )
    return events.filter(result=AuditEvent.Result.SUCCEEDED).order_by("-time", "-pk").first()
