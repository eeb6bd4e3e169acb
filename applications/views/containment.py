"""The dialog that contains an application, and the report of its last 30 days."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_http_methods, require_safe

from accessrules.authorization.callers import caller_of
from applications import policy
from applications.containment import contain_application
from applications.incident_reports import DAYS, csv_header, csv_rows, report_of
from applications.views.listing import PAGE
from runai_access.lists.export import csv_response
from runai_access.ui.dialogs import leave_for, render_dialog

# Rows of each part that the page shows; the file has more.
MAX_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
def contain(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Say what containing does; do it and open the report of the last 30 days."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    if request.method == "POST":
        contain_application(caller=caller, application_id=id_)
        messages.success(request, f"Application {application} contained.")
        return leave_for(request, resolve_url("applications:report", id_))
    context = {
        "application": application,
        "is_contained": application.is_safely_contained(),
        "live_count": application.secrets.live().count(),
        "days": DAYS,
    }
    return render_dialog(
        request, "applications/_contain.html", context, parent_page=PAGE.parent_page, row=id_
    )


@require_safe
def report(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Show who used the secrets of an application in the last 30 days, and for what."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    can_update = policy.is_allowed(caller, "update")
    context = {
        "application": application,
        "is_contained": application.contained_at is not None and not application.enabled,
        "report": report_of(application, caller.authority),
        "days": DAYS,
        "max_shown": MAX_SHOWN,
        "can_contain": can_update,
        "can_replace": can_update and policy.can_manage_secrets(caller, application),
    }
    return render(request, "applications/report.html", context)


@require_safe
def report_csv(request: HttpRequest, id_: UUID) -> HttpResponseBase:
    """Return the report as CSV. Like other files with parts of the audit log, it needs the password."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    if caller.authority.reads_audit_log:
        caller.require_recent_authentication()
    shown = report_of(application, caller.authority)
    return csv_response(
        f"{application.name}-last-{DAYS}-days", csv_header(), csv_rows(shown),
        is_cut=not shown.is_complete, cut_name="incomplete",
    )  # fmt: skip
