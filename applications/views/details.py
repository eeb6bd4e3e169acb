"""The dialogs that edit owner, description and labels, of one application or of several."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accessrules.actions.bulk import run_in_batches
from accessrules.authorization.callers import caller_of
from accessrules.filters.rules import visible_owner_names
from applications import policy
from applications.details import change_details, change_details_of_many, validated
from applications.forms import AllowedAddressesForm, BulkDetailsForm, DetailsForm
from applications.models import Application
from applications.views.bulk import report_rows, results_of, selected_applications
from applications.views.listing import PAGE
from runai_access.errors import Refusal
from runai_access.ui.dialogs import finish_dialog, render_dialog
from runai_access.ui.reports import render_report


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Ask for the details of an application; change them."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    form = DetailsForm(request.POST) if request.method == "POST" else DetailsForm.of(application)
    if form.is_valid():
        try:
            change_details(caller=caller, application_id=id_, change=form.change())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Details of {application} changed.")
            return finish_dialog(request, PAGE.parent_page, changed=id_)
    context = {
        "application": application,
        "form": form,
        "owners": visible_owner_names(caller.authority),
    }
    return render_dialog(
        request, "applications/_details.html", context, parent_page=PAGE.parent_page,
        row=id_, status=422 if form.is_bound else 200,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def allowed_addresses(request: HttpRequest, id_: UUID) -> HttpResponse:
    """Ask for the addresses from which the application can be used; `?add=` suggests one more."""
    caller = caller_of(request)
    application = policy.visible_one(caller, id_)
    policy.require(caller, "update")
    networks = [*application.networks, request.GET.get("add", "")]
    form = AllowedAddressesForm(
        request.POST if request.method == "POST" else None,
        initial={"addresses": "\n".join(filter(None, networks))},
    )
    if form.is_valid():
        try:
            change_details(caller=caller, application_id=id_, change=form.change())
        except ValidationError as error:
            form.add_error("addresses", error.messages)
        else:
            messages.success(request, f"Allowed addresses of {application} changed.")
            return finish_dialog(request, PAGE.parent_page, changed=id_)
    return render_dialog(
        request, "applications/_allowed_addresses.html",
        {"application": application, "form": form},
        parent_page=PAGE.parent_page, row=id_, status=422 if form.is_bound else 200,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_details(request: HttpRequest) -> HttpResponse:
    """Ask which details of the selected applications to change; change them."""
    caller = caller_of(request)
    policy.require(caller, "update")
    ids = PAGE.selected_keys(request)
    applications = selected_applications(caller, ids)
    if not applications:
        return redirect("applications:list")
    form = BulkDetailsForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        change = form.change()
        try:
            validated(change)
        except ValidationError as error:
            form.add_error(None, error)
        else:

            def act(batch: Sequence[Application]) -> list[str | Refusal]:
                refusals = change_details_of_many(caller=caller, applications=batch, change=change)
                return results_of(batch, refusals, done="details changed")

            outcomes = run_in_batches(request, applications, act)
            return render_report(
                request, report_rows(outcomes, len(ids)), parent_page=PAGE.parent_page
            )
    context = {
        "applications": applications,
        "form": form,
        "owners": visible_owner_names(caller.authority),
    }
    return render_dialog(
        request, "applications/_bulk_details.html", context, parent_page=PAGE.parent_page,
        status=422 if form.is_bound else 200,
    )  # fmt: skip
