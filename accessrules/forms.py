"""The form that grants a role in a scope."""

from typing import Any

from django import forms

from accessrules.authorization import ACTIONS, Authority
from accessrules.catalogue import RESOURCE_TYPES
from accessrules.effective import Question
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


class ScopeAccessForm(forms.Form):
    """What to look for among those who can do something in a scope; nonsense asks for nothing."""

    resource_type = forms.ChoiceField(
        required=False,
        label="Entity",
        choices=[("", "Every entity")]
        + [(key, f"{type_.name} ({key})") for key, type_ in RESOURCE_TYPES.items()],
    )
    action = forms.ChoiceField(
        required=False,
        label="Action",
        choices=[("", "Every action")] + [(name, name) for name in ACTIONS.values()],
    )
    name = forms.CharField(required=False, label="Name contains", max_length=255)
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)

    @property
    def asked(self) -> dict[str, str]:
        """The fields that narrow, as far as they can be read."""
        self.is_valid()
        values = {key: self.cleaned_data.get(key) for key in ("resource_type", "action", "name")}
        return {key: value for key, value in values.items() if value}

    @property
    def question(self) -> Question:
        """The same, as the domain asks it."""
        return Question(**self.asked)

    @property
    def number_of_page(self) -> int:
        """The page that is asked for; the first where none is."""
        self.is_valid()
        return self.cleaned_data.get("page") or 1
