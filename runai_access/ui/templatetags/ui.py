"""Template tags of all pages: times, icons, highlighted matches, URLs of dialogs and of histories."""

from functools import lru_cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from runai_access.lists import markup
from runai_access.lists.times import DATE_FORMATS, zone_names
from runai_access.row_urls import history_url
from runai_access.ui.dialogs import dialog_url
from runai_access.ui.times import chosen_zone, format_of

register = template.Library()
SELECTED = SafeString(" selected")

register.simple_tag(markup.icon)


@register.simple_tag
def time_settings(request: HttpRequest) -> dict[str, Any]:
    """Return the chosen time zone and date format, and what can be chosen."""
    return {
        "zone": chosen_zone(request),
        "zone_options": _zone_options(chosen_zone(request)),
        "format": format_of(request),
        "formats": DATE_FORMATS,
    }


@lru_cache(maxsize=8)
def _zone_options(chosen: str) -> SafeString:
    """Return an option for each zone with a region. A loop in a template takes longer than the rest."""
    return format_html_join(
        "",
        "<option{}>{}</option>",
        ((SELECTED if name == chosen else "", name) for name in zone_names()),
    )


register.simple_tag(markup.copy_button)
register.simple_tag(markup.moment)
register.filter(markup.marked)
register.simple_tag(dialog_url)
register.simple_tag(history_url)
