"""Template tags for navigation and permissions."""

from collections.abc import Iterable

from django import template
from django.http import HttpRequest

from accessrules.authorization.callers import caller_of
from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTION_LABELS, Permission
from accessrules.console.navigation import pages_of

register = template.Library()


@register.simple_tag
def rail_pages(request: HttpRequest) -> dict[str, str]:
    """Return the URLs of the pages that the user can open, for the navigation rail."""
    return pages_of(caller_of(request)) if request.user.is_authenticated else {}


@register.filter
def permissions(held: Iterable[Permission]) -> str:
    """Format permissions by resource: "Applications: View, Create; Roles: View"."""
    held = set(held)
    parts = []
    for key, resource_type in RESOURCE_TYPES.items():
        labels = [label for action, label in ACTION_LABELS.items() if (action, key) in held]
        if labels:
            parts.append(f"{resource_type.name}: {', '.join(labels)}")
    return "; ".join(dict.fromkeys(parts))
