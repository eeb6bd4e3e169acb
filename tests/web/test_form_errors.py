"""Every form of the console shows the errors of all its fields together."""

import re
from collections.abc import Iterator, Mapping

import pytest
from django import forms
from django.test import Client

from accessrules.console import forms as of_rules
from applications import forms as of_applications
from runai_access.accounts import forms as of_accounts
from runai_access.accounts.models import User
from runai_access.ui.forms import SubmissionForm
from tests import factories
from tests.web.conftest import Organization, SignedIn

pytestmark = pytest.mark.any_database

BLANK = "\u2800"  # looks like a space
TOO_LONG = "x" * 101
UNKNOWN = "999999"
Case = tuple[str, Mapping[str, str], set[str]]
# They are no dialogs: they ignore wrong values in the URL, or have no visible field.
OTHERS = {
    of_rules.EffectiveAccessForm, of_rules.ScopeAccessForm, SubmissionForm,
    # They have one visible field, and a browser's part; see `tests/mfa`.
    of_accounts.CodeForm, of_accounts.PasskeyForm, of_accounts.NewPasskeyForm,
    of_accounts.PasskeyNameForm,
}  # fmt: skip


def _cases(acme: Organization) -> Iterator[tuple[type[forms.Form], Case]]:
    """Yield each form with its URL, wrong values for all fields, and the fields with errors."""
    application = factories.application("ci")
    user = factories.person("rosa@acme.example")
    group = factories.group("ops")
    on_application = f"/applications/{application.pk}"
    yield of_applications.CreateApplicationForm, ("/applications/new/", {"name": "No"}, {"name"})
    yield of_applications.AddSecretForm, (
        f"{on_application}/secrets/new/",
        {"label": TOO_LONG, "expiry": "soon", "date": "tomorrow"},
        {"label", "expiry", "date"},
    )  # fmt: skip
    yield (
        of_applications.AddSecretForm,
        (
            f"{on_application}/secrets/new/",
            {"label": TOO_LONG, "expiry": "date", "date": "2020-01-01"},
            {"label", "date"},
        ),
    )
    yield of_applications.TokenLifetimeForm, (
        f"{on_application}/token-lifetime/", {"seconds": "1"}, {"seconds"},
    )  # fmt: skip
    yield (
        of_rules.AccessRuleForm,
        (
            f"{on_application}/access-rules/",
            {"do": "save", "role": UNKNOWN, "scope": UNKNOWN},
            {"role", "scope"},
        ),
    )
    yield of_rules.AccessRulesForm, (
        "/access-rules/new/", {"do": "save", "role": UNKNOWN}, {"role", "subject", "scope"},
    )  # fmt: skip
    yield of_rules.NewScopeForm, (
        "/scopes/new/", {"do": "save", "name": BLANK}, {"name", "scope"},
    )  # fmt: skip
    yield of_rules.ScopeNameForm, (f"/scopes/{acme.vision.pk}/rename/", {"name": BLANK}, {"name"})
    yield of_rules.MoveScopeForm, (
        f"/scopes/{acme.vision.pk}/move/", {"do": "save", "scope": UNKNOWN}, {"scope"},
    )  # fmt: skip
    yield of_applications.FindSecretForm, ("/applications/find-secret/", {"text": ""}, {"text"})
    too_long = {"owner": "nobody", "description": "x" * 501, "labels": "prod"}
    wrong_details = {"owner", "description", "labels"}
    yield of_applications.DetailsForm, (f"{on_application}/details/", too_long, wrong_details)
    yield of_applications.BulkDetailsForm, (
        "/applications/bulk/details/",
        {**too_long, "selected": str(application.pk), "sets_owner": "on", "sets_description": "on"},
        wrong_details,
    )  # fmt: skip
    yield of_applications.AllowedAddressesForm, (
        f"{on_application}/allowed-addresses/", {"addresses": "192.0.2.1/24"}, {"addresses"},
    )  # fmt: skip
    yield of_accounts.GroupMappingForm, (
        "/groups/mappings/new/", {"value": "x" * 300, "group": UNKNOWN}, {"value", "group"},
    )  # fmt: skip
    yield of_accounts.NewUserForm, (
        "/users/new/", {"email": "rosa", "display_name": TOO_LONG}, {"email", "display_name"},
    )  # fmt: skip
    yield of_accounts.NameForm, (
        f"/users/{user.pk}/rename/", {"display_name": TOO_LONG}, {"display_name"},
    )  # fmt: skip
    yield of_accounts.GroupForm, (
        "/users/bulk/add-to-group/", {"selected": str(user.pk), "group": UNKNOWN}, {"group"},
    )  # fmt: skip
    yield of_accounts.NewGroupForm, ("/groups/new/", {"name": BLANK}, {"name"})
    yield of_accounts.MembersForm, (
        f"/groups/{group.pk}/members/", {"do": "save"}, {"subject"},
    )  # fmt: skip
    yield of_accounts.AppForm, ("/account/factors/app/", {"sealed": "", "code": ""}, {"code"})
    yield of_accounts.ConfirmForm, ("/account/confirm/", {"password": ""}, {"password"})
    yield (
        of_accounts.OwnPasswordForm,
        (
            "/account/password/",
            {"current": "", "new": "short", "again": "other"},
            {"current", "new", "again"},
        ),
    )


def _error_ids(client: Client, url: str, values: Mapping[str, str]) -> set[str]:
    response = client.post(url, values)
    assert response.status_code == 422, url
    return set(re.findall(r'class="field-error" id="(\w+)-error"', response.content.decode()))


def test_every_wrong_field_shows_its_error(ada: User, acme: Organization, as_: SignedIn) -> None:
    ada.set_password("correct-horse-battery-staple")
    ada.save()
    client = as_(ada)
    cases = [case for _, case in _cases(acme)]
    found = [(url, _error_ids(client, url, values)) for url, values, _ in cases]
    assert found == [(url, fields) for url, _, fields in cases]


@pytest.mark.django_db
def test_sign_in_shows_both_errors(client: Client) -> None:
    assert _error_ids(client, "/sign-in/", {}) == {"email", "password"}


def test_no_form_is_left_out(acme: Organization) -> None:
    tested = {form for form, _ in _cases(acme)} | {of_accounts.SignInForm}
    modules = (of_rules, of_applications, of_accounts)
    forms_of = {
        form
        for module in modules
        for name, form in vars(module).items()
        if isinstance(form, type) and issubclass(form, forms.Form) and not name.startswith("_")
    }
    assert forms_of - OTHERS == tested
