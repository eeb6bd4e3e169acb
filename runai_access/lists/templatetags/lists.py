"""Template tags of list pages: the table's rows, and the URLs of sorting, paging and filtering."""

from collections.abc import Sequence

from django import template
from django.utils.safestring import SafeString
from django_tables2.columns import BoundColumn

from runai_access.lists import rows
from runai_access.lists.filter_sets import Chip
from runai_access.lists.listing import MAX_WIDTH, MIN_WIDTH, PAGE_SIZES, Listing, Preference
from runai_access.lists.markup import markup

register = template.Library()


@register.simple_tag
def table_rows(listing: Listing, actions: Sequence[object]) -> SafeString:
    """Return the rows of the current page. Only a list with `actions` has checkboxes and menus."""
    return rows.table_rows(listing.table, have_actions=bool(actions))


@register.simple_tag
def sort_url(listing: Listing, sort: str) -> str:
    """Return the URL of the first page of the list with this sort."""
    return listing.url(sort=sort)


@register.simple_tag
def page_url(listing: Listing, which: str) -> str:
    """Return the URL of the first, previous, next or last page."""
    page = listing.page
    number = page.number
    if which == "first":
        return listing.url()
    if which == "last":
        return listing.url(page="last")
    if which == "next":
        return listing.url(page=number + 1 if number else None, after=page.next_cursor)
    if number == 2:  # without a cursor the first page includes new rows
        return listing.url()
    return listing.url(page=number - 1 if number else None, before=page.previous_cursor)


@register.simple_tag
def state_url(listing: Listing, path: str) -> str:
    """Return the URL of `path` with the state of the list."""
    return listing.url(path)


@register.simple_tag
def chip_url(listing: Listing, chip: Chip) -> str:
    """Return the URL of the list without this filter."""
    return listing.url_without(chip)


@register.simple_tag
def chip_edit_url(listing: Listing, path: str, chip: Chip, index: int) -> str:
    """Return the URL of the dialog that edits this filter."""
    return listing.url(path, column=chip.column, edit=index)


@register.simple_tag
def page_sizes() -> tuple[int, ...]:
    """Return the page sizes that users can choose."""
    return PAGE_SIZES


@register.inclusion_tag("lists/_separator.html")
def column_separator(preference: Preference, column: BoundColumn) -> dict[str, object]:
    """Return the handle at the end of a column's header that changes its width."""
    width = preference.widths.get(column.name)
    limits = {"min_width": MIN_WIDTH, "max_width": MAX_WIDTH}
    return {"column": column, "width": width, **limits}


@register.simple_tag
def width_attribute(preference: Preference, column: str) -> SafeString:
    """Return the attribute with the width that the user chose for a column."""
    width = preference.widths.get(column)
    return markup(' width="{}"', width) if width else SafeString("")


@register.simple_tag
def filter_column_url(listing: Listing, path: str, column: str) -> str:
    """Return the URL of the dialog that filters by this column."""
    return listing.url(path, column=column)
