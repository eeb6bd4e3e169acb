"""Forms: new access rules, scopes, and the filter of the access to a scope."""

from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django import forms
from django.utils import timezone

from accessrules.actions.bulk import MAX_SCOPES, MAX_SUBJECTS
from accessrules.authorization.authority import Authority
from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTION_LABELS
from accessrules.authorization.scope_access import AccessFilter
from accessrules.console.pickers.scopes import ScopePicker
from accessrules.console.pickers.subjects import SubjectPicker
from accessrules.models import Role, Scope, ScopeQuerySet, Subject, SubjectQuerySet
from accessrules.validators import check_name
from runai_access.db.normalization import normalize
from runai_access.ui.forms import CheckedField

T = TypeVar("T")


class _ExpiringForm(forms.Form):
    """The last day of a rule, in UTC; empty for a rule that does not expire."""

    expires = forms.DateField(required=False, error_messages={"invalid": "Enter a date."})

    def clean_expires(self) -> datetime | None:
        """Return the end of the day. Refuses past days."""
        day: date | None = self.cleaned_data["expires"]
        if day is None:
            return None
        end = datetime.combine(day, time.max, UTC).replace(microsecond=0)
        if end <= timezone.now():
            raise forms.ValidationError("The expiry must be in the future.")
        return end

    @property
    def expires_at(self) -> datetime | None:
        """When the rules of a valid form expire; None means never."""
        expires: datetime | None = self.cleaned_data["expires"]
        return expires


class AccessRuleForm(_ExpiringForm):
    """A role and a scope, each limited to those that the caller can grant in some combination.

    The action checks the combination.
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
                "invalid_choice": "You can't add access rules in this scope. Select another one.",
            },
        )

    @property
    def chosen(self) -> tuple[Role, Scope]:
        """The role and the scope of a valid form."""
        return self.roles[self.cleaned_data["role"]], self.cleaned_data["scope"]


class AccessRulesForm(_ExpiringForm):
    """A role, with the subjects and scopes of their pickers: one rule for each combination."""

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
            raise forms.ValidationError(
                "Some of the selected subjects were deleted. Check the others."
            )
        return _within_limit(self._subjects.chosen, "subject", MAX_SUBJECTS)

    def clean_scope(self) -> list[Scope]:
        chosen = [item.scope for item in self._scopes.chosen]
        if len(chosen) < len(self._scopes.ticked):
            raise forms.ValidationError("You can't add access rules in one of these scopes.")
        return _within_limit(chosen, "scope", MAX_SCOPES)

    @property
    def chosen(self) -> tuple[list[Subject], Role, list[Scope]]:
        """The subjects, role and scopes of a valid form."""
        cleaned = self.cleaned_data
        return cleaned["subject"], self.roles[cleaned["role"]], cleaned["scope"]


def _role_field(roles: dict[int, Role]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        coerce=int,
        choices=[(pk, role.name) for pk, role in roles.items()],
        error_messages={
            "required": "Select a role.",
            "invalid_choice": "You can't assign this role. Select another one.",
        },
    )


def _within_limit(chosen: list[T], noun: str, limit: int) -> list[T]:
    if not chosen:
        raise forms.ValidationError(f"Select a {noun}.")
    if len(chosen) > limit:
        raise forms.ValidationError(f"Select at most {limit} {noun}s, not {len(chosen)}.")
    return chosen


class ScopeNameForm(forms.Form):
    """The name of a scope."""

    name = CheckedField(check_name, error_messages={"required": "Enter a name."})


class _ParentForm(forms.Form):
    """The parent of a scope: one of `parents`."""

    def __init__(self, *args: Any, parents: ScopeQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"] = forms.ModelChoiceField(
            queryset=parents,
            error_messages={
                "required": "Select a parent.",
                "invalid_choice": "You can't create or move scopes there. Select another parent.",
            },
        )


class NewScopeForm(_ParentForm, ScopeNameForm):
    """The name and parent of a new scope."""


class MoveScopeForm(_ParentForm):
    """The new parent of a scope."""


class EffectiveAccessForm(forms.Form):
    """The filter of the access of a subject, and the subject to compare it with."""

    search = forms.CharField(required=False, max_length=255)
    action = forms.ChoiceField(
        required=False, label="Action", choices=[("", "All actions"), *ACTION_LABELS.items()]
    )
    compare = forms.CharField(required=False, max_length=255)

    def _value(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")

    @property
    def text(self) -> str:
        return self._value("search")

    @property
    def chosen_action(self) -> str:
        return self._value("action")

    @property
    def other_name(self) -> str:
        return self._value("compare")

    @property
    def chosen_action_label(self) -> str:
        return ACTION_LABELS.get(self.chosen_action, "")

    @property
    def filters(self) -> dict[str, str]:
        """The valid filters, for the URL."""
        chosen = {"search": self.text, "action": self.chosen_action}
        return {name: value for name, value in chosen.items() if value}

    @property
    def asked(self) -> dict[str, str]:
        """The filters and the other subject, for the URL."""
        return self.filters | ({"compare": self.other_name} if self.other_name else {})

    def other_of(self, subjects: SubjectQuerySet) -> Subject | None:
        """Return the subject to compare with, if one of `subjects` has the name."""
        name = self.other_name
        found: Subject | None = (
            subjects.filter(normalized_name=normalize(name)).first() if name else None
        )
        return found


class ScopeAccessForm(forms.Form):
    """The filter of the access to a scope. Ignores invalid values."""

    resource_type = forms.ChoiceField(
        required=False,
        label="Entity",
        choices=[("", "All entities")]
        + [(key, f"{type_.name} ({key})") for key, type_ in RESOURCE_TYPES.items()],
    )
    action = forms.ChoiceField(
        required=False,
        label="Action",
        choices=[("", "All actions"), *ACTION_LABELS.items()],
    )
    name = forms.CharField(required=False, label="Name contains", max_length=255)
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)

    @property
    def asked(self) -> dict[str, str]:
        """The valid, non-empty filter fields."""
        self.is_valid()
        values = {key: self.cleaned_data.get(key) for key in ("resource_type", "action", "name")}
        return {key: value for key, value in values.items() if value}

    @property
    def access_filter(self) -> AccessFilter:
        """The filter as the domain's object."""
        return AccessFilter(**self.asked)

    @property
    def number_of_page(self) -> int:
        """The requested page number; 1 by default."""
        self.is_valid()
        return self.cleaned_data.get("page") or 1
