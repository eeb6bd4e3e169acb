"""The forms about access: granting a role, changing a scope, asking who may do what."""

from typing import Any, TypeVar

from django import forms

from accessrules.actions.bulk import MAX_SCOPES, MAX_SUBJECTS
from accessrules.authorization.authority import Authority
from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.authorization.scope_access import Question
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.models import Role, Scope, ScopeQuerySet, Subject

T = TypeVar("T")


class AccessRuleForm(forms.Form):
    """A role and a scope, each among those in which this caller could grant anything at all.

    Whether the two go together is decided by the action.
    """

    def __init__(self, *args: Any, authority: Authority, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.roles = {role.pk: role for role in authority.grantable_roles()}
        self.can_read_roles = authority.allows_anywhere("read", "roles")
        self.fields["role"] = _role_field(self.roles)
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


class AccessRulesForm(forms.Form):
    """A role, for the subjects and in the scopes that their pickers hold: several rules at once."""

    subject = forms.CharField(required=False)
    scope = forms.CharField(required=False)

    def __init__(
        self,
        *args: Any,
        authority: Authority,
        subjects: SubjectPicker,
        scopes: ScopePicker,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._subjects, self._scopes = subjects, scopes
        self.roles = {role.pk: role for role in authority.grantable_roles()}
        self.can_read_roles = authority.allows_anywhere("read", "roles")
        self.fields["role"] = _role_field(self.roles)

    def clean_subject(self) -> list[Subject]:
        if self._subjects.gone:
            raise forms.ValidationError("Some of those selected are gone; look at the others.")
        return _some(self._subjects.chosen, "a subject", "subjects", MAX_SUBJECTS)

    def clean_scope(self) -> list[Scope]:
        chosen = [found.scope for found in self._scopes.chosen]
        if len(chosen) < len(self._scopes.ticked):
            raise forms.ValidationError("You can't grant anything in one of these scopes.")
        return _some(chosen, "a scope", "scopes", MAX_SCOPES)

    @property
    def chosen(self) -> tuple[list[Subject], Role, list[Scope]]:
        """What is chosen in a valid form."""
        cleaned = self.cleaned_data
        return cleaned["subject"], self.roles[cleaned["role"]], cleaned["scope"]


def _role_field(roles: dict[int, Role]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        coerce=int,
        choices=[(pk, role.name) for pk, role in roles.items()],
        error_messages={
            "required": "Select a role.",
            "invalid_choice": "This role can't be granted by you. Select another one.",
        },
    )


def _some(chosen: list[T], one: str, many: str, most: int) -> list[T]:
    if not chosen:
        raise forms.ValidationError(f"Select {one}.")
    if len(chosen) > most:
        raise forms.ValidationError(f"At most {most} {many} at once; {len(chosen)} are selected.")
    return chosen


class ScopeNameForm(forms.Form):
    """The name of a scope. What a name may be is decided by the action."""

    name = forms.CharField(error_messages={"required": "Enter a name."})


class _BelowForm(forms.Form):
    """The scope to stand below: one of `parents`."""

    def __init__(self, *args: Any, parents: ScopeQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"] = forms.ModelChoiceField(
            queryset=parents,
            error_messages={
                "required": "Select the scope that it is to stand below.",
                "invalid_choice": "It can't be put there by you. Select another scope.",
            },
        )


class NewScopeForm(_BelowForm, ScopeNameForm):
    """The name of a new scope, and what it stands below."""


class MoveScopeForm(_BelowForm):
    """What a scope is to stand below."""


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
