"""List pages: their URLs, and the actions on selected rows.

A page is a `ListView` with a table, filters, a search and actions. It provides the list, the dialogs
that customize it, downloads, and the redirect from selected rows to the dialog of an action. The app
implements those dialogs: `<namespace>:<action>` for one row, `<namespace>:bulk-<action>` for many,
whose keys are in the URL.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runai_access.lists.filter_sets import ListFilterSet
from runai_access.lists.listing import VIEW, ListConfig, Listing, read_keys
from runai_access.lists.selection import ListFilter
from runai_access.lists.tables import ListTable
from runai_access.row_urls import list_url
from runai_access.ui import list_dialogs
from runai_access.ui.dialogs import (
    FROM,
    ParentPage,
    finish_dialog,
    is_htmx_target,
    query_with_return_url,
    return_url,
)
from runai_access.ui.preferences import preference_of


@dataclass(frozen=True)
class MenuLink:
    """A link to another page in the menu MORE, with a hint below its text."""

    text: str
    hint: str
    icon: str
    address: str


@dataclass(frozen=True)
class Action:
    """An action on selected rows. `label` is in capitals, as on its button.

    `when` is "enabled" or "disabled" for what makes sense only for such rows.
    """

    name: str
    label: str
    icon: str
    for_one: bool = True
    for_bulk: bool = True
    when: str = ""
    is_danger: bool = False

    @property
    def menu_label(self) -> str:
        return self.label.capitalize()

    @property
    def css_class(self) -> str:
        """The CSS class that says for which selections the button is visible."""
        return f"{self._kind_of_selection} can-{self.name}"

    @property
    def menu_class(self) -> str:
        """The CSS class that says for which rows the menu shows the action."""
        return f"for-{self.when or 'one'} can-{self.name}"

    @property
    def _kind_of_selection(self) -> str:
        if self.when:
            return f"for-{self.when}"
        if self.for_one and self.for_bulk:
            return "for-any"
        return "for-one" if self.for_one else "for-bulk"


@dataclass(frozen=True)
class Addresses:
    """The URLs of a list page's views."""

    namespace: str

    def __getitem__(self, name: str) -> str:
        """Return the URL of a view, by its name in templates: `urls.page_size`."""
        return list_url(f"{self.namespace}:{name.replace('_', '-')}")


class ListView:
    """A list page. A subclass defines what it lists.

    `namespace` is the URL namespace, `noun` names a row in a sentence, `new` is the label of the button
    that creates a row ("" for none) with the dialog `<namespace>:create`. `searched` completes
    "Searched …." in the no-match state. `empty_template` is shown if there is no row, `notice_template`
    above the table. `document` converts a row for JSON downloads; None for no JSON.
    """

    namespace = ""
    title = ""
    noun = ""
    plural = ""
    new = ""
    searched = ""
    empty_template = ""
    notice_template = ""
    template = "lists/page.html"
    part_template = "lists/_listing_part.html"
    table: type[ListTable]
    filters: type[ListFilterSet]
    document: Callable[[Any], Any] | None = None

    def rows(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible rows; raise Denied if the caller cannot open this page."""
        raise NotImplementedError

    def authority(self, request: HttpRequest) -> Any:
        """Return the context of table, filters and search: the caller's authority, or more."""
        raise NotImplementedError

    def search(self, text: str, authority: Any) -> ListFilter:
        """Return the filter for rows that match a search, with keys from an index for large lists."""
        raise NotImplementedError

    def permission_filter(self, authority: Any) -> ListFilter | None:
        """Return the permission filter with keys from an index, for callers who see few of many rows.

        None means that filters and search return only visible rows. The default is an empty filter:
        `rows` contains less than the indexes do.
        """
        return ListFilter(Q())

    def actions(self, request: HttpRequest) -> Sequence[Action]:
        """Return the actions that the caller can use."""
        return ()

    def can_create(self, request: HttpRequest) -> bool:
        """Return whether the caller can create a row."""
        return False

    def more_links(self, request: HttpRequest) -> Sequence[MenuLink]:
        """Return the links to other pages that the menu MORE contains."""
        return ()

    def extra_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return additional context for this page's templates."""
        return {}

    # Common to all list pages.

    @property
    def urls(self) -> Addresses:
        return Addresses(self.namespace)

    @property
    def address(self) -> str:
        return self.urls["list"]

    @property
    def parent_page(self) -> ParentPage:
        """The page that its dialogs return to."""
        return ParentPage(self.title, self.address)

    @property
    def a_noun(self) -> str:
        return f"{'an' if self.noun[0] in 'aeio' else 'a'} {self.noun}"

    @property
    def has_json(self) -> bool:
        return self.document is not None

    @property
    def patterns(self) -> list[URLPattern]:
        """The URL patterns of the list; include them before those of its rows."""
        name = f"{self.table.name}.json"
        as_json = [path(name, require_safe(self.json_view), name="json")] if self.has_json else []
        return [
            *as_json,
            path("", require_safe(self.list_view), name="list"),
            path("selected/", require_safe(self.selected_view), name="selected"),
            path("filter/", require_safe(self.filter_view), name="filter"),
            path(
                "columns/",
                require_http_methods(["GET", "HEAD", "POST"])(self.columns_view),
                name="columns",
            ),
            path("page-size/", require_POST(self.page_size_view), name="page-size"),
            path("width/", require_POST(self.width_view), name="width"),
            path("download/", require_safe(self.download_view), name="download"),
            path(f"{self.table.name}.csv", require_safe(self.csv_view), name="csv"),
        ]

    def config(self, request: HttpRequest) -> ListConfig:
        """Return the list as the caller of the request sees it."""
        return ListConfig(
            table=self.table,
            filters=self.filters,
            rows=self.rows(request),
            search=self.search,
            context=self.authority(request),
            path=self.address,
            permission_filter=self.permission_filter(self.authority(request)),
        )

    def listing(self, request: HttpRequest, query: QueryDict | None = None) -> Listing:
        """Return the list for `query`, by default that of the request."""
        # Lazy: a URL that names columns and page size needs none.
        preference: Any = SimpleLazyObject(partial(preference_of, request, self.table.name))
        return Listing(self.config(request), request.GET if query is None else query, preference)

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of the list."""
        context = {
            "list": self.listing(request),
            "page": self,
            "urls": self.urls,
            "actions": self.actions(request),
            "can_create": self.can_create(request),
            "more_links": self.more_links(request),
            **self.extra_context(request),
        }
        is_part = is_htmx_target(request, "listing")
        response = render(request, self.part_template if is_part else self.template, context)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    def selected_view(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the dialog of an action for the selected rows."""
        keys = self.selected_keys(request)
        name = request.GET.get("action", "")
        action = next((action for action in self.actions(request) if action.name == name), None)
        if not keys or action is None:
            messages.warning(request, f"Select {self.a_noun} first.")
            return finish_dialog(request, self.parent_page)
        if len(keys) == 1 and action.for_one:
            url = reverse(f"{self.namespace}:{name}", args=keys)
            return redirect(url + query_with_return_url(request, self.parent_page))
        is_view = _selects_view(request)
        if action.for_bulk:
            url = self.urls[f"bulk-{name}"]
            named = {"select": VIEW} if is_view else {"selected": keys}
            return redirect(url + query_with_return_url(request, self.parent_page, **named))
        messages.warning(request, f"Select just one {self.noun} for this.")
        return finish_dialog(request, self.parent_page, selected=() if is_view else keys)

    def selected_keys(self, request: HttpRequest) -> list[Any]:
        """Return the primary keys of the selected rows, without invalid ones.

        A dialog can be opened for the whole view. Its form then contains the keys of the shown rows, so
        the action applies to exactly those.
        """
        if _selects_view(request):
            return self._keys_of_view(request)
        query = request.POST if request.method == "POST" else request.GET
        keys, _ = read_keys(self.table.model, query.getlist("selected"))
        return keys

    def _keys_of_view(self, request: HttpRequest) -> list[Any]:
        view = return_url(request, self.parent_page)
        path_, _, text = view.partition("?")
        if path_ != self.address or request.GET.get(FROM, view) != view:
            return []  # opened from another page, or an unreadable view
        return self.listing(request, QueryDict(text)).keys_of_view()

    def filter_view(self, request: HttpRequest) -> HttpResponse:
        """Show the dialog that adds a filter."""
        listing = self.listing(request, list_dialogs.state_of(request.GET))
        return list_dialogs.filter_dialog(
            request, listing, path=self.urls["filter"], parent_page=self.parent_page
        )

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """Show the dialog for columns and row height."""
        query = request.POST if request.method == "POST" else request.GET
        listing = self.listing(request, list_dialogs.state_of(query))
        path_ = self.urls["columns"]
        return list_dialogs.columns_dialog(
            request, listing, path=path_, parent_page=self.parent_page
        )

    def page_size_view(self, request: HttpRequest) -> HttpResponse:
        """Save the page size."""
        listing = self.listing(request, list_dialogs.state_of(request.POST))
        return list_dialogs.keep_page_size(request, listing)

    def width_view(self, request: HttpRequest) -> HttpResponse:
        """Save the width of a column."""
        return list_dialogs.keep_width(request, self.listing(request, QueryDict()))

    def download_view(self, request: HttpRequest) -> HttpResponse:
        """Say how much of the view a download will contain."""
        listing = self.listing(request)
        path_, json_path = self.urls["csv"], self.urls["json"] if self.has_json else ""
        return list_dialogs.download_dialog(
            request, listing, path=path_, parent_page=self.parent_page, json_path=json_path
        )

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send the view as CSV."""
        return list_dialogs.download(self.listing(request))

    def json_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send the view as JSON with every detail."""
        assert self.document is not None  # noqa: S101  # else the URL does not exist
        return list_dialogs.download_json(self.listing(request), self.document)


def _selects_view(request: HttpRequest) -> bool:
    return request.method != "POST" and request.GET.get("select") == VIEW
