"""The form that grants a role in a scope."""

from typing import Any

from django import forms

from accessrules.authorization import Authority
from accessrules.models import Role, Scope


class AccessRuleForm(forms.Form):
    """A role and a scope, each among those in which this caller could grant anything at all.

    Whether the two go together is decided by the action.
    """

    def __init__(self, *args: Any, authority: Authority, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles = {role.pk: role for role in authority.grantable_roles()}
        self.fields["role"] = forms.TypedChoiceField(
            coerce=int,
            choices=[(pk, role.name) for pk, role in self.roles.items()],
            error_messages={
                "required": "Select a role.",
                "invalid_choice": "This role can't be granted by you. Select another one.",
            },
        )
        self.fields["scope"] = forms.ModelChoiceField(
            queryset=authority.grantable_scopes(),
            error_messages={
                "required": "Select a scope.",
                "invalid_choice": "You can't grant anything in this scope. Select another one.",
            },
        )

    @property
    def chosen(self) -> tuple[Role, Scope]:
        """The role and the scope of a valid form."""
        return self.roles[self.cleaned_data["role"]], self.cleaned_data["scope"]
