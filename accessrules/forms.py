"""The form that grants a role in a scope."""

from typing import Any

from django import forms

from accessrules.authorization import Authority
from accessrules.models import Role, Scope


class AccessRuleForm(forms.Form):
    """A role and a scope, each among those in which this caller could grant anything at all.

    Whether the two go together is decided by the action.
    """

    role = forms.TypedChoiceField(
        coerce=int,
        error_messages={
            "required": "Select a role.",
            "invalid_choice": "This role can't be granted by you. Select another one.",
        },
    )
    scope = forms.ModelChoiceField(
        queryset=Scope.objects.none(),
        error_messages={
            "required": "Select a scope.",
            "invalid_choice": "You can't grant anything in this scope. Select another one.",
        },
    )

    def __init__(self, *args: Any, authority: Authority, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles = {role.pk: role for role in authority.grantable_roles()}
        role_field, scope_field = self.fields["role"], self.fields["scope"]
        assert isinstance(role_field, forms.ChoiceField)
        assert isinstance(scope_field, forms.ModelChoiceField)
        role_field.choices = [(pk, role.name) for pk, role in self.roles.items()]
        scope_field.queryset = authority.grantable_scopes()

    @property
    def chosen(self) -> tuple[Role, Scope]:
        """The role and the scope of a valid form."""
        return self.roles[self.cleaned_data["role"]], self.cleaned_data["scope"]
