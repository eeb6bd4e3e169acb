"""What templates about roles and scopes ask."""

from typing import Any

from django import template

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.console.forms import AccessRuleForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.models import Role

register = template.Library()


@register.simple_tag
def selectable_roles(picker: ScopePicker, form: AccessRuleForm) -> list[Role]:
    """Return the roles that may be granted in the chosen scope."""
    return picker.roles(form.roles.values())


@register.simple_tag
def permissions_in_words(role: Role) -> list[str]:
    """Return what a role permits, for example "Applications: create, read"."""
    # Several types of resource have one name: all data sources, for example.
    words = {
        f"{_name(resource_type)}: {', '.join(ACTIONS[letter] for letter in letters)}"
        for resource_type, letters in role.permissions.items()
        if letters
    }
    return sorted(words)


def _name(resource_type: str) -> Any:
    known = RESOURCE_TYPES.get(resource_type)
    return known.name if known else resource_type
