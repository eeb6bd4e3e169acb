"""What customizes the table: adding a filter, choosing columns and page size, the file."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.views.listing import listing_of
from runai_access.ui import customizing


@require_safe
def filter_(request: HttpRequest) -> HttpResponse:
    """Choose a column, then an operator and a value."""
    return customizing.filter_dialog(
        request, listing_of(request, customizing.state_of(request.GET)),
        path=resolve_url("applications:filter"), title="Applications",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest) -> HttpResponse:
    """Choose and order the columns, and the row height."""
    query = customizing.state_of(request.POST if request.method == "POST" else request.GET)
    return customizing.columns_dialog(
        request, listing_of(request, query), path=resolve_url("applications:columns")
    )


@require_POST
def page_size(request: HttpRequest) -> HttpResponse:
    """Keep how many rows a page has."""
    return customizing.keep_page_size(
        request, listing_of(request, customizing.state_of(request.POST))
    )


@require_safe
def download(request: HttpRequest) -> HttpResponse:
    """Say how much of the view a file will hold."""
    return customizing.download_dialog(
        request, listing_of(request), path=resolve_url("applications:csv")
    )


@require_safe
def csv(request: HttpRequest) -> HttpResponseBase:
    """Send the view as a file."""
    return customizing.download(listing_of(request))
