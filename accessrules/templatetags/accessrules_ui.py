"""Template tags for roles."""

from django import template

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTION_LABELS, permissions_of
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
    """Return the permissions of a role by resource, for example "Applications: View, Create"."""
    # Resource types can share a name, such as the data sources.
    held = permissions_of(role)
    lines = set()
    for key, resource_type in RESOURCE_TYPES.items():
        labels = [label for action, label in ACTION_LABELS.items() if (action, key) in held]
        if labels:
            lines.add(f"{resource_type.name}: {', '.join(labels)}")
    return sorted(lines)
