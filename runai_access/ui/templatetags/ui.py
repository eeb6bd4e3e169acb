"""What templates of every page use: times, icons of the sprite, marked matches, list addresses."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from runai_access.folding import find_folded, fold
from runai_access.ui.dialogs import FROM
from runai_access.ui.filters import Chip
from runai_access.ui.listing import PAGE_SIZES, Listing

register = template.Library()

_UNITS = [
    (365 * 24 * 3600, "year"),
    (30 * 24 * 3600, "month"),
    (7 * 24 * 3600, "week"),
    (24 * 3600, "day"),
    (3600, "hour"),
    (60, "minute"),
]


@register.inclusion_tag("ui/_time.html")
def moment(time: datetime, *, relative: bool = False, seconds: bool = False) -> dict[str, Any]:
    """Show a time exactly, or as a distance with the exact time behind it."""
    return {"time": time, "distance": distance(time) if relative else "", "seconds": seconds}


def distance(time: datetime, now: datetime | None = None) -> str:
    """Return how long ago `time` is in its largest whole unit, for example "3 hours ago"."""
    seconds = int(((now or timezone.now()) - time).total_seconds())
    for size, unit in _UNITS:
        count = seconds // size
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Show an icon of the page's sprite: for what stands in every row."""
    return format_html(
        '<svg class="{}" width="16" height="16" aria-hidden="true"><use href="#icon-{}"/></svg>',
        f"icon {extra}".strip(),
        name,
    )


@register.filter
def marked(text: object, term: str) -> SafeString:
    """Return `text` with each occurrence of `term` marked, without regard to case."""
    whole = str(text)
    pieces = []
    here = 0
    for start, end in find_folded(whole, fold(term or "")):
        if start < here:
            continue
        pieces.append(f"{escape(whole[here:start])}<mark>{escape(whole[start:end])}</mark>")
        here = end
    return mark_safe("".join([*pieces, escape(whole[here:])]))  # noqa: S308  # each piece is escaped


@register.simple_tag
def sort_url(listing: Listing, sort: str) -> str:
    """Return the address of the list in another order, from its beginning."""
    return listing.url(sort=sort)


@register.simple_tag
def page_url(listing: Listing, which: str) -> str:
    """Return the address of the first, previous, next or last page."""
    page = listing.page
    number = page.number
    if which == "first":
        return listing.url()
    if which == "last":
        return listing.url(page="last")
    if which == "next":
        return listing.url(page=number + 1 if number else None, after=page.next_cursor)
    if number == 2:  # the first page has no cursor, so that it begins with what is new
        return listing.url()
    return listing.url(page=number - 1 if number else None, before=page.previous_cursor)


@register.simple_tag
def row_url(listing: Listing, record: Any) -> str:
    """Return the address of a row's own page; where there is none, of the list with it selected."""
    if listing.table.has_row_pages:
        return str(record.get_absolute_url())
    return listing.address_selecting(record.pk)


@register.simple_tag
def state_url(listing: Listing, path: str) -> str:
    """Return the address of `path` with the state of the list."""
    return listing.url(path)


@register.simple_tag
def dialog_url(view: str, *args: Any, back: str = "", **query: Any) -> str:
    """Return the address of a dialog, which knows that it was opened from the address `back`."""
    text = urlencode({**query, **({FROM: back} if back else {})})
    return f"{reverse(view, args=args)}?{text}" if text else reverse(view, args=args)


@register.simple_tag
def history_url(entity_type: str, id_: object) -> str:
    """Return the address of what happened to, or was done by, one thing.

    The type is that in the record: application, user, group, access_rule, or the type of a scope,
    whose id is its `uid`. Only administrators have business there; ask `accessrules.history` first.
    """
    return f"{reverse('activity:list')}?{urlencode({'history__is': f'{entity_type}:{id_}'})}"


@register.simple_tag
def chip_url(listing: Listing, chip: Chip) -> str:
    """Return the address of the list without this filter."""
    return listing.url_without(chip)


@register.simple_tag
def chip_edit_url(listing: Listing, path: str, chip: Chip, place: int) -> str:
    """Return the address of the dialog that edits this filter."""
    return listing.url(path, column=chip.column, edit=place)


@register.simple_tag
def page_sizes() -> tuple[int, ...]:
    """Return the sizes that a page may have."""
    return PAGE_SIZES


@register.simple_tag
def filter_column_url(listing: Listing, path: str, column: str) -> str:
    """Return the address of the dialog that filters by this column."""
    return listing.url(path, column=column)


@register.simple_tag(takes_context=True)
def bind_table(context: template.Context, listing: Listing) -> str:
    """Let the cells of the list's table know what the page knows, as `render_table` would."""
    listing.table.context = context
    return ""
