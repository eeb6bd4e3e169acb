"""Template tags of all pages: times, icons, highlighted matches, URLs of dialogs and of histories."""

from typing import Any

from django import template
from django.http import HttpRequest

from runai_access.lists import markup
from runai_access.lists.times import DATE_FORMATS, zone_names
from runai_access.row_urls import history_url
from runai_access.ui.dialogs import dialog_url
from runai_access.ui.times import chosen_zone, format_of

register = template.Library()

register.simple_tag(markup.icon)


@register.simple_tag
def time_settings(request: HttpRequest) -> dict[str, Any]:
    """Return the chosen time zone and date format, and what can be chosen."""
    return {
        "zone": chosen_zone(request),
        "zones": zone_names(),
        "format": format_of(request),
        "formats": DATE_FORMATS,
    }


register.simple_tag(markup.copy_button)
register.simple_tag(markup.moment)
register.filter(markup.marked)
register.simple_tag(dialog_url)
register.simple_tag(history_url)
