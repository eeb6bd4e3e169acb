"""Template tags for roles."""

from django import template

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.console.forms import AccessRuleForm
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.models import Role

register = template.Library()


@register.simple_tag
def selectable_roles(picker: ScopePicker, form: AccessRuleForm) -> list[Role]:
    """Return the roles that the caller can grant in the chosen scopes."""
    return picker.roles(form.roles.values())


@register.simple_tag
def permission_summary(role: Role) -> list[str]:
    """Return the permissions of a role by resource, for example "Applications: create, read"."""
    # Resource types can share a name, such as the data sources.
    lines = {
        f"{RESOURCE_TYPES[resource_type].name}: {', '.join(ACTIONS[letter] for letter in letters)}"
        for resource_type, letters in role.permissions.items()
        if letters
    }
    return sorted(lines)
