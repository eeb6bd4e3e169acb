"""The ACCESS RULES dialog: the list of rules, and adding and deleting rules."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from accessrules.models import AccessRule, Role, Scope
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, column, text_of


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training))


def _url(application: Application) -> str:
    return reverse("applications:access-rules", args=[application.pk])


def _delete_url(application: Application, rule_id: int) -> str:
    return reverse("applications:delete-access-rule", args=[application.pk, rule_id])


def _rules_of(application: Application) -> list[str]:
    rules = AccessRule.objects.living().filter(subject=application.subject)
    return [f"{rule.role} in {rule.scope}" for rule in rules.select_related("role", "scope")]


def _grant(
    browser: Client, application: Application, role: str, scope: Scope, **headers: str
) -> object:
    fields = {"role": Role.objects.get(name=role).pk, "scope": scope.pk}
    return browser.post(f"{_url(application)}?add", fields, headers=headers)


def _only_rule(application: Application) -> AccessRule:
    return AccessRule.objects.get(subject=application.subject)


def test_a_rule_is_shown_with_its_full_path_and_creator(browser: Client, ci: Application) -> None:
    text = text_of(browser.get(_url(ci)))
    assert "Viewer in project training" in text
    assert "acme / east / vision / training" in text
    assert f"Created by {factories.MAKER}" in text


def test_an_application_without_rules_shows_a_hint(browser: Client, db: None) -> None:
    text = text_of(browser.get(_url(factories.application("bare"))))
    assert "No access rules This application can't do anything until you add an access rule" in text


def test_the_form_offers_roles_with_their_descriptions_and_the_tree(
    browser: Client, ci: Application, acme: Organization
) -> None:
    searching = {"do": "refresh", "open": [str(acme.vision.pk), str(acme.speech.pk)]}
    content = browser.post(f"{_url(ci)}?add", searching).content.decode()
    viewer = Role.objects.get(name="Viewer")
    assert f'<option value="{viewer.pk}" title="{viewer.description}">Viewer</option>' in content
    for scope in Scope.objects.selectable():
        assert f'name="scope" value="{scope.pk}"' in content
    assert "Cloud operator" not in content, "it is not assignable"
    assert 'value="0"' not in content


def test_saving_adds_the_rule_with_a_message(
    browser: Client, ci: Application, acme: Organization
) -> None:
    answer = _grant(browser, ci, "L1 researcher", acme.east)
    assert answer.url == _url(ci)
    assert _rules_of(ci) == ["Viewer in training", "L1 researcher in east"]
    page = text_of(browser.get(_url(ci)))
    assert "Access rule added: L1 researcher in cluster east." in page
    assert "Created by ada@acme.example" in page


def test_htmx_gets_the_new_rule_and_refreshes_the_table(
    browser: Client, ci: Application, acme: Organization
) -> None:
    answer = _grant(browser, ci, "L1 researcher", acme.east, **DIALOG)
    assert answer.status_code == 200
    assert "Access rule added: L1 researcher in cluster east." in text_of(answer)
    assert "L1 researcher in cluster east acme / east" in text_of(answer)
    assert "changed" in answer.headers["HX-Trigger"]


def test_an_existing_rule_is_reported_in_the_dialog(
    browser: Client, ci: Application, acme: Organization
) -> None:
    answer = _grant(browser, ci, "Viewer", acme.training)
    assert answer.status_code == 409
    assert "ci already has the role Viewer in project training." in text_of(answer)
    content = answer.content.decode()
    assert f'value="{acme.training.pk}" id="scope-{acme.training.pk}" checked' in content
    assert re.search(r"<option [^>]* selected>Viewer</option>", content)
    assert _rules_of(ci) == ["Viewer in training"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["Select a role.", "Select a scope."]),
        ({"role": "7"}, ["Select a scope."]),
        ({"role": "x", "scope": "x"}, ["You can't assign this role", "You can't add access rules"]),
        (
            {"role": "9" * 40, "scope": "9" * 40},
            ["You can't assign this role", "You can't add access rules"],
        ),
        (
            {"role": "-7", "scope": "-1"},
            ["You can't assign this role", "You can't add access rules"],
        ),
        ({"role": "1711"}, ["You can't assign this role."]),
        ({"role": "\x00", "scope": "\x00"}, ["You can't assign this role"]),
    ],
)
def test_missing_and_unknown_choices_are_field_errors(
    browser: Client, ci: Application, fields: dict[str, str], expected: list[str]
) -> None:
    answer = browser.post(f"{_url(ci)}?add", fields)
    assert answer.status_code == 422
    assert [text for text in expected if text not in text_of(answer)] == []
    assert _rules_of(ci) == ["Viewer in training"]


def test_rules_cannot_be_added_on_system(browser: Client, ci: Application) -> None:
    answer = _grant(browser, ci, "Viewer", factories.system())
    assert answer.status_code == 422
    assert _rules_of(ci) == ["Viewer in training"]


def test_the_tree_shows_grantable_scopes_and_their_ancestors(
    dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    content = as_(dina).get(f"{_url(ci)}?add").content.decode()
    offered = set(re.findall(r'name="scope" value="(\d+)"', content))
    assert offered == {str(acme.vision.pk), str(acme.training.pk)}
    assert "System administrator" not in content
    assert re.search(r'class="branch-path"><span>east</span>', content)
    assert "speech" not in content


def test_rules_cannot_be_added_in_other_scopes(
    dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    assert _grant(as_(dina), ci, "Viewer", acme.dictation).status_code == 422
    assert _rules_of(ci) == ["Viewer in training"]


def test_a_role_the_caller_lacks_is_denied_and_audited(
    acme: Organization, ci: Application, as_: SignedIn
) -> None:
    lea = factories.person("lea@acme.example", "Department administrator", acme.vision)
    factories.custom_role("Granter", access_rules="crud", apps="r")
    factories.rule(lea, "Granter", acme.speech)
    answer = _grant(as_(lea), ci, "Viewer", acme.dictation, **DIALOG)
    assert answer.status_code == 403
    reason = "To assign Viewer in project dictation, you need"
    assert reason in text_of(answer)
    assert _rules_of(ci) == ["Viewer in training"]
    assert AuditEvent.objects.get(result=AuditEvent.Result.FAILED).reason.startswith(reason)


def test_the_trash_icon_deletes_a_rule(
    browser: Client, ci: Application, acme: Organization
) -> None:
    factories.rule(ci, "L1 researcher", acme.east)
    first = AccessRule.objects.filter(subject=ci.subject).earliest("pk")
    assert _delete_url(ci, first.pk) in browser.get(_url(ci)).content.decode()
    answer = browser.post(_delete_url(ci, first.pk))
    assert answer.url == _url(ci)
    assert _rules_of(ci) == ["L1 researcher in east"]
    page = text_of(browser.get(_url(ci)))
    assert "Access rule removed: Viewer in project training" in page


def test_htmx_gets_the_list_without_the_deleted_rule(browser: Client, ci: Application) -> None:
    answer = browser.post(_delete_url(ci, _only_rule(ci).pk), headers=DIALOG)
    assert answer.status_code == 200
    assert "No access rules" in text_of(answer)
    assert "changed" in answer.headers["HX-Trigger"]


def test_get_of_the_delete_url_deletes_nothing(browser: Client, ci: Application) -> None:
    assert browser.get(_delete_url(ci, _only_rule(ci).pk)).url == _url(ci)
    assert _rules_of(ci) == ["Viewer in training"]


def test_a_rule_of_another_application_is_not_deleted_by_its_id(
    browser: Client, ci: Application, acme: Organization
) -> None:
    other = factories.application("other", ("Viewer", acme.east))
    answer = browser.post(_delete_url(ci, _only_rule(other).pk))
    assert answer.status_code == 404
    assert "This access rule was already deleted." in text_of(answer)
    assert _rules_of(other) == ["Viewer in east"]


@pytest.mark.parametrize("rule_id", [0, 10**9, 10**30])
def test_a_deleted_rule_is_reported_in_the_dialog(
    browser: Client, ci: Application, rule_id: int
) -> None:
    answer = browser.post(_delete_url(ci, rule_id), headers=DIALOG)
    assert answer.status_code == 404
    assert "This access rule was already deleted." in text_of(answer)
    assert "Viewer in project training" in text_of(answer)


def test_only_visible_rules_are_shown(
    dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    hidden = factories.rule(ci, "ML engineer", acme.dictation)
    content = as_(dina).get(_url(ci)).content.decode()
    assert "ML engineer" not in content
    assert as_(dina).post(_delete_url(ci, hidden.pk)).status_code == 404
    assert "ML engineer in dictation" in _rules_of(ci)


def test_readers_get_no_trash_icon_and_no_form(
    ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.custom_role("Onlooker", apps="r", access_rules="r")
    otto = factories.person("otto@acme.example")
    factories.rule(otto, "Onlooker", factories.account())
    page = as_(otto).get(_url(ci))
    assert "Viewer in project training" in text_of(page)
    assert "/delete/" not in page.content.decode()
    assert "?add" not in page.content.decode()
    assert as_(otto).get(f"{_url(ci)}?add").status_code == 403
    refused = as_(otto).post(_delete_url(ci, _only_rule(ci).pk))
    assert refused.status_code == 403
    assert "You need the “Delete access rules” permission" in text_of(refused)
    assert _grant(as_(otto), ci, "Viewer", acme.east).status_code == 403
    assert _rules_of(ci) == ["Viewer in training"]


# Expiry.


def test_a_rule_can_be_added_with_an_expiry(
    browser: Client, ci: Application, acme: Organization
) -> None:
    fields = {"role": factories.role("Viewer").pk, "scope": acme.west.pk, "expires": "2099-01-01"}
    dialog = browser.post(f"{_url(ci)}?add", fields, headers=DIALOG)
    rule = AccessRule.objects.get(scope=acme.west)
    assert rule.expires_at == datetime(2099, 1, 1, 23, 59, 59, tzinfo=UTC)
    assert "Expires 1 Jan 2099" in text_of(dialog)
    assert "Expires 1 Jan 2099" in text_of(browser.get(ci.get_absolute_url()))
    listed = browser.get("/access-rules/", {"columns": "subject,expires", "expires__never": "1"})
    assert set(column(listed, "expires")) == {"Never"}
    asked = {"columns": "subject,expires", "expires__after": "2098-01-01"}
    (shown,) = column(browser.get("/access-rules/", asked), "expires")
    assert shown.startswith("1 Jan 2099, 23:59")


@pytest.mark.parametrize(
    ("expires", "error"),
    [("2020-01-01", "The expiry must be in the future."), ("soon", "Enter a date.")],
)
def test_an_invalid_expiry_is_reported_beside_its_field(
    browser: Client, ci: Application, acme: Organization, expires: str, error: str
) -> None:
    fields = {"role": factories.role("Viewer").pk, "scope": acme.west.pk, "expires": expires}
    dialog = browser.post(f"{_url(ci)}?add", fields, headers=DIALOG)
    assert dialog.status_code == 422
    assert f'id="expires-error">{error}' in dialog.content.decode()
    assert not AccessRule.objects.filter(scope=acme.west).exists()
    searched = {**fields, "do": "refresh", "find": "west"}
    assert f'value="{expires}"' in browser.post(f"{_url(ci)}?add", searched).content.decode()


def test_rules_added_in_bulk_have_the_expiry(
    browser: Client, ci: Application, acme: Organization
) -> None:
    fields = {"do": "save", "role": factories.role("Viewer").pk, "expires": "2099-01-01"}
    in_west = {**fields, "selected": ci.pk, "scope": acme.west.pk}
    browser.post("/applications/bulk/add-rule/", in_west)
    in_east = {**fields, "subject": ci.pk, "scope": [acme.east.pk]}
    browser.post(reverse("accessrules:create"), in_east)
    rules = AccessRule.objects.filter(scope__in=[acme.west, acme.east])
    assert [str(rule.expires_at)[:10] for rule in rules] == ["2099-01-01"] * 2
