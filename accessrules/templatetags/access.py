"""How permissions read on a page."""

from collections.abc import Iterable

from django import template
from django.http import HttpRequest

from accessrules.authorization import ACTIONS, Permission
from accessrules.callers import caller_of
from accessrules.catalogue import RESOURCE_TYPES
from accessrules.history import sees_activity

register = template.Library()


@register.simple_tag
def shows_activity(request: HttpRequest) -> bool:
    """Return whether the rail leads whoever asks to the record."""
    return request.user.is_authenticated and sees_activity(caller_of(request))


@register.filter
def permissions(held: Iterable[Permission]) -> str:
    """Return permissions as a person reads them: "Applications: create, read; Roles: read"."""
    held = set(held)
    parts = []
    for key, resource_type in RESOURCE_TYPES.items():
        actions = [action for action in ACTIONS.values() if (action, key) in held]
        if actions:
            parts.append(f"{resource_type.name}: {', '.join(actions)}")
    return "; ".join(dict.fromkeys(parts))
