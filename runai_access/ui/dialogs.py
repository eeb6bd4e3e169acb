"""Dialogs. Each has a URL: HTMX gets the content of a `<dialog>`, other clients a page.

The page links back to where it was opened: the URL `from` in the query, which its form submits again,
or else its parent page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.html import strip_tags
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect, push_url, trigger_client_event

from runai_access.row_urls import row_url

CHANGED = "changed"
CLOSE = "dialog-close"
SHOW = "show-list"
FROM = "from"
KEEP_FORM = "X-Keep-Form"
_MAX_URL_LENGTH = 8_000  # 100 selected rows, the maximum of a page, need 5,000
# The fields of a dialog's form that name its rows and the page it was opened from.
_KEPT_FIELDS = ("selected", FROM)
_TITLE = re.compile(r'<h1 id="dialog-title">(.*?)</h1>', re.DOTALL)


@dataclass(frozen=True)
class ParentPage:
    """The page behind a dialog."""

    title: str
    address: str


def address_to_return_to(request: HttpRequest) -> str:
    """Return the URL of the view that the request was sent from, to return to after signing in.

    A GET returns to its own URL: a list with its filters, or a dialog as a page. A dialog's form
    returns to its dialog, with the selected rows. Any other form returns to its page.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = _page_of(request)
    if not (is_htmx_target(request, "dialog") or page.partition("?")[0] == request.path):
        return page if is_local(page) else "/"
    kept = [(name, value) for name in _KEPT_FIELDS for value in request.POST.getlist(name)]
    query = request.GET.copy()
    for name, value in kept:
        if value not in query.getlist(name):
            query.appendlist(name, value)
    address = f"{request.path}?{query.urlencode()}" if query else request.path
    if len(address) <= _MAX_URL_LENGTH:
        return address
    # Without its rows the dialog would be empty, so return to the list, where the user selects them.
    back = request.POST.get(FROM, "")
    return back if is_local(back) and len(back) <= _MAX_URL_LENGTH else "/"


def _page_of(request: HttpRequest) -> str:
    """Return the path and query of the page that sent the request; "" if unknown."""
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    except ValueError:  # a forged header: browsers send only URLs
        return ""
    return f"{page.path}?{page.query}" if page.query else page.path


def is_htmx_target(request: HttpRequest, target: str) -> bool:
    """Return whether HTMX requests only the element with the id `target`."""
    return request.headers.get("HX-Target") == target and "HX-Request" in request.headers


def is_local(address: str) -> bool:
    """Return whether a URL is a path on this host."""
    return address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def local_path(address: str, default: str) -> str:
    """Return `address` if it is an absolute path on this host, else `default`.

    A relative path is refused, because `redirect` would resolve it as the name of a view.
    """
    return address if is_local(address) else default


def return_url(request: HttpRequest, parent_page: ParentPage) -> str:
    """Return the URL that the dialog was opened from, or else that of its parent page."""
    parameters = request.POST if request.method == "POST" else request.GET
    address = parameters.get(FROM, "")
    if len(address) > _MAX_URL_LENGTH or not is_local(address):
        return parent_page.address
    return address


def query_with_return_url(request: HttpRequest, parent_page: ParentPage, **query: object) -> str:
    """Return the query string for another dialog that returns to the same URL."""
    back = return_url(request, parent_page)
    text = urlencode({**query, **({FROM: back} if back != parent_page.address else {})}, doseq=True)
    return f"?{text}" if text else ""


def dialog_url(view: str, *args: Any, back: str = "", **query: Any) -> str:
    """Return the URL of a dialog that returns to `back`, the URL it is opened from."""
    match args:
        case (int() | UUID() as key,):
            address = row_url(view, key)
        case _:
            address = reverse(view, args=args)
    text = _from(back)
    if query:
        text = f"{urlencode(query)}&{text}" if text else urlencode(query)
    return f"{address}?{text}" if text else address


def render_dialog(  # noqa: PLR0913  # what the dialog leaves behind
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    parent_page: ParentPage,
    status: int = 200,
    changed: object = None,
    is_new: bool = False,
    is_last: bool = False,
    row: object = None,
) -> HttpResponse:
    """Render a dialog, for HTMX alone or else as a page.

    `row` is the id of its row in the list, which stays selected when the dialog closes. `changed` is
    the id of a row in the list that needs a refresh; `is_new` if it was just created. After the last
    dialog of a procedure (`is_last`) no row stays selected.
    """
    back = return_url(request, parent_page)
    context = {
        **context,
        "parent_page": parent_page,
        "opened_from": back,
        "back_url": _with(
            back,
            parent_page,
            changed=changed,
            is_new=is_new,
            selected=[row] if row else [] if is_new or is_last else [changed],
        ),
    }
    if is_htmx_target(request, "dialog"):
        response = render(request, template, {**context, "in_dialog": True}, status=status)
        # Otherwise HTMX replaces the URL of the list in the address bar.
        push_url(response, False)
        if changed is not None:
            detail = {"id": str(changed), "isNew": is_new, "isLast": is_last}
            trigger_client_event(response, CHANGED, detail)
    else:
        dialog = render_to_string(template, context, request)
        page = {**context, "dialog": dialog, "dialog_title": _title_in(dialog)}
        response = render(request, "ui/dialog_page.html", page, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def finish_dialog(
    request: HttpRequest,
    parent_page: ParentPage,
    *,
    changed: object = "",
    is_new: bool = False,
    selected: Sequence[object] = (),
    gone: str = "",
    show: str = "",
) -> HttpResponse:
    """Close the dialog; without HTMX redirect to the URL it was opened from.

    The list moves to the URL `show`, or refreshes and marks the row `changed`, as new if `is_new`.
    `gone` is the path of a page that no longer exists, because its object was deleted.
    """
    if not is_htmx_target(request, "dialog"):
        back = show or return_url(request, parent_page)
        if gone and urlsplit(back).path == gone:
            back = parent_page.address
        return redirect(
            _with(
                back,
                parent_page,
                changed=changed,
                is_new=is_new,
                selected=selected or ([] if is_new else [changed]),
            )
        )
    response = HttpResponse(status=204)
    push_url(response, False)
    if show:
        trigger_client_event(response, SHOW, {"address": show})
    else:
        trigger_client_event(response, CHANGED, {"id": str(changed), "isNew": is_new})
    return trigger_client_event(response, CLOSE)


def leave_and_keep_form(url: str) -> HttpResponse:
    """Redirect HTMX to another page. `forms.js` copies the typed values into the same form there."""
    response = HttpResponseClientRedirect(url)
    response.headers[KEEP_FORM] = "true"
    return response


def leave_for(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect to a page, even if HTMX requested the dialog."""
    return HttpResponseClientRedirect(url) if is_htmx_target(request, "dialog") else redirect(url)


def _title_in(dialog: str) -> str:
    """Return the heading of a dialog, for the title of its page."""
    match = _TITLE.search(dialog)
    return unescape(strip_tags(match[1])) if match else ""


def _with(
    address: str,
    parent_page: ParentPage,
    *,
    changed: object,
    is_new: bool,
    selected: Sequence[object],
) -> str:
    """Return the URL with only these rows as `changed` and `selected`, if it is of the parent page."""
    path, _, text = address.partition("?")
    if path != parent_page.address:
        return address
    query = QueryDict(text, mutable=True)
    query.setlist("changed", [str(changed)] if changed else [])
    query.setlist("new", ["1"] if changed and is_new else [])
    query.setlist("selected", [str(key) for key in selected if key])
    text = query.urlencode(safe=",")
    return f"{path}?{text}" if text else path


@lru_cache(maxsize=16)
def _from(back: str) -> str:
    """Return the encoded `from` parameter, cached because all links of a page share it."""
    return urlencode({FROM: back}) if back else ""
