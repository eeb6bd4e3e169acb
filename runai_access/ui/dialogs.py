"""Dialogs: each is an address. HTMX gets what goes into the open `<dialog>`, anyone else a page.

Such a page leads back to where it was opened: the address `from` that its opener put into the query
and that its form carries on, or else its home.
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
_MAX_URL_LENGTH = 8_000  # 100 selected rows, the most of a page, take 5,000
# The fields of a dialog's form that name its rows and the page it was opened from.
_KEPT = ("selected", FROM)
_TITLE = re.compile(r'<h1 id="dialog-title">(.*?)</h1>', re.DOTALL)


@dataclass(frozen=True)
class ParentPage:
    """The page that a dialog belongs to."""

    title: str
    address: str


def address_to_return_to(request: HttpRequest) -> str:
    """Return the URL of the view that the request was sent from, to return to after signing in.

    A read returns to its own URL: a list with its filters, or a dialog as a page. A dialog's form
    returns to its dialog, with the selected rows. Any other form returns to the page it is on.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = _page_of(request)
    if not (is_htmx_target(request, "dialog") or page.partition("?")[0] == request.path):
        return page if is_local(page) else "/"
    kept = [(name, text) for name in _KEPT for text in request.POST.getlist(name)]
    query = request.GET.copy()
    for name, text in kept:
        if text not in query.getlist(name):
            query.appendlist(name, text)
    address = f"{request.path}?{query.urlencode()}" if query else request.path
    if len(address) <= _MAX_URL_LENGTH:
        return address
    # Without its rows the dialog would be empty: the list, where they can be selected again.
    back = request.POST.get(FROM, "")
    return back if is_local(back) and len(back) <= _MAX_URL_LENGTH else "/"


def _page_of(request: HttpRequest) -> str:
    """Return the path and query of the page that a request was sent from; "" if that is unknown."""
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    except ValueError:  # written by hand: no browser sends what is no URL
        return ""
    return f"{page.path}?{page.query}" if page.query else page.path


def is_htmx_target(request: HttpRequest, target: str) -> bool:
    """Return whether HTMX asks only for the part of the page with the id `target`."""
    return request.headers.get("HX-Target") == target and "HX-Request" in request.headers


def is_local(address: str) -> bool:
    """Return whether an address is a path on this host."""
    return address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def local_path(address: str, default: str) -> str:
    """Return `address` if it is an absolute path on this host, else `default`.

    Not a relative one: `redirect` would take it for the name of a view.
    """
    return address if is_local(address) else default


def return_url(request: HttpRequest, parent_page: ParentPage) -> str:
    """Return the address that the dialog was opened from, or else its home's."""
    given = request.POST if request.method == "POST" else request.GET
    address = given.get(FROM, "")
    if len(address) > _MAX_URL_LENGTH or not is_local(address):
        return parent_page.address
    return address


def query_with_return_url(request: HttpRequest, parent_page: ParentPage, **query: object) -> str:
    """Return the query for another dialog, which knows too from where the first was opened."""
    back = return_url(request, parent_page)
    text = urlencode({**query, **({FROM: back} if back != parent_page.address else {})}, doseq=True)
    return f"?{text}" if text else ""


def dialog_url(view: str, *args: Any, back: str = "", **query: Any) -> str:
    """Return the URL of a dialog that leads back to `back`, the URL it was opened from."""
    match args:
        case (int() | UUID() as key,):
            address = row_url(view, key)
        case _:
            address = reverse(view, args=args)
    text = _from(back)
    if query:
        text = f"{urlencode(query)}&{text}" if text else urlencode(query)
    return f"{address}?{text}" if text else address


def render_dialog(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    parent_page: ParentPage,
    status: int = 200,
    changed: object = None,
    row: object = None,
) -> HttpResponse:
    """Render a dialog over its `home`.

    `row` is the row of the list that it is about, which stays selected when it is left; `changed` is
    the id of the row in the list behind that is out of date.
    """
    back = return_url(request, parent_page)
    context = {
        **context,
        "parent_page": parent_page,
        "opened_from": back,
        "back_url": _with(back, parent_page, changed=changed, selected=[row] if row else ()),
    }
    if is_htmx_target(request, "dialog"):
        response = render(request, template, {**context, "in_dialog": True}, status=status)
        # HTMX would put a boosted address into the address bar, over the one of the list.
        push_url(response, False)
        if changed is not None:
            trigger_client_event(response, CHANGED, {"id": str(changed)})
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
    selected: Sequence[object] = (),
    gone: str = "",
    show: str = "",
) -> HttpResponse:
    """Close the dialog; without HTMX go back to where it was opened.

    The list is shown at the address `show`, or else once more as it is, with the row `changed`.
    `gone` is the address of a page that what was done took away.
    """
    if not is_htmx_target(request, "dialog"):
        back = show or return_url(request, parent_page)
        if gone and urlsplit(back).path == gone:
            back = parent_page.address
        return redirect(_with(back, parent_page, changed=changed, selected=selected))
    response = HttpResponse(status=204)
    push_url(response, False)
    if show:
        trigger_client_event(response, SHOW, {"address": show})
    else:
        trigger_client_event(response, CHANGED, {"id": str(changed)})
    return trigger_client_event(response, CLOSE)


def leave_and_keep_form(url: str) -> HttpResponse:
    """Have HTMX go to another page; `forms.js` puts what was typed into the same form there."""
    response = HttpResponseClientRedirect(url)
    response.headers[KEEP_FORM] = "true"
    return response


def leave_for(request: HttpRequest, url: str) -> HttpResponse:
    """Go on to a page that is no dialog, also when the dialog asked."""
    return HttpResponseClientRedirect(url) if is_htmx_target(request, "dialog") else redirect(url)


def _title_in(dialog: str) -> str:
    """Return what a dialog is headed with, for the title of the page that it is on."""
    found = _TITLE.search(dialog)
    return unescape(strip_tags(found[1])) if found else ""


def _with(
    address: str, parent_page: ParentPage, *, changed: object, selected: Sequence[object]
) -> str:
    """Return the address with these rows named, and no others, if it is one of the list at home."""
    path, _, text = address.partition("?")
    if path != parent_page.address:
        return address
    query = QueryDict(text, mutable=True)
    query.setlist("changed", [str(changed)] if changed else [])
    query.setlist("selected", [] if changed else [str(key) for key in selected])
    text = query.urlencode(safe=",")
    return f"{path}?{text}" if text else path


@lru_cache(maxsize=16)
def _from(back: str) -> str:
    """Return the query parameter that all links of one page share."""
    return urlencode({FROM: back}) if back else ""
