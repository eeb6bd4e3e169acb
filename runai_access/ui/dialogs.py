"""Dialogs: each is an address. HTMX gets what goes into the open `<dialog>`, anyone else a page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django_htmx.http import push_url, trigger_client_event

CHANGED = "changed"
CLOSE = "dialog-close"
SHOW = "show-list"


def asks_for(request: HttpRequest, target: str) -> bool:
    """Return whether HTMX asks only for the part of the page with the id `target`."""
    return request.headers.get("HX-Target") == target and "HX-Request" in request.headers


def render_dialog(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
    changed: object = None,
) -> HttpResponse:
    """Render a dialog; `changed` is the id of the row in the list behind that is out of date."""
    if asks_for(request, "dialog"):
        response = render(request, template, {**context, "in_dialog": True}, status=status)
        # HTMX would put a boosted address into the address bar, over the one of the list.
        push_url(response, False)
        if changed is not None:
            trigger_client_event(response, CHANGED, {"id": str(changed)})
    else:
        page = {**context, "dialog_template": template}
        response = render(request, "ui/dialog_page.html", page, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def finish_dialog(
    request: HttpRequest, url: str, *, changed: object = "", show: str = ""
) -> HttpResponse:
    """Close the dialog over its list; without HTMX go to `url`.

    The list is shown at the address `show`, or else once more as it is, with the row `changed`.
    """
    if not asks_for(request, "dialog"):
        return redirect(url)
    response = HttpResponse(status=204)
    push_url(response, False)
    if show:
        trigger_client_event(response, SHOW, {"address": show})
    else:
        trigger_client_event(response, CHANGED, {"id": str(changed)})
    return trigger_client_event(response, CLOSE)
