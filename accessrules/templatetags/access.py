"""Template tags for navigation and permissions."""

from collections.abc import Iterable

from django import template
from django.http import HttpRequest

from accessrules.authorization.callers import caller_of
from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS, Permission
from accessrules.console.navigation import pages_of

register = template.Library()


@register.simple_tag
def rail_pages(request: HttpRequest) -> dict[str, str]:
    """Return the URLs of the pages that the user can open, for the navigation rail."""
    return pages_of(caller_of(request)) if request.user.is_authenticated else {}


@register.filter
def permissions(held: Iterable[Permission]) -> str:
    """Format permissions by resource: "Applications: create, read; Roles: read"."""
    held = set(held)
    parts = []
    for key, resource_type in RESOURCE_TYPES.items():
        actions = [action for action in ACTIONS.values() if (action, key) in held]
        if actions:
            parts.append(f"{resource_type.name}: {', '.join(actions)}")
    return "; ".join(dict.fromkeys(parts))
