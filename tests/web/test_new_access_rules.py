"""The NEW ACCESS RULE dialog: its pickers, and the report for each rule."""

import re

import pytest
from django.test import Client

from accessrules.models import AccessRule, Subject
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, text_of

NEW = "/access-rules/new/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training))


def _saving(role: str, *scopes: object, **fields: object) -> dict[str, object]:
    pks = [scope.pk for scope in scopes]  # type: ignore[attr-defined]  # scopes
    return {"do": "save", "role": factories.role(role).pk, "scope": pks, **fields}


def _checked(content: str, name: str) -> set[str]:
    return set(re.findall(rf'name="{name}" value="([^"]+)" id="[^"]+" checked', content))


def _listed(content: str) -> list[str]:
    return re.findall(r'name="subject" value="[^"]+" id="[^"]+"[^>]*><span>(\S+) ', content)


# Saving


def test_each_subject_gets_the_role_in_each_scope(
    browser: Client, ci: Application, vera: User, acme: Organization
) -> None:
    ops = factories.group("ops")
    chosen = [ci.pk, vera.pk, ops.pk]
    form = _saving("Viewer", acme.training, acme.west, subject=chosen)
    answer = browser.post(NEW, form, headers=DIALOG)
    text = text_of(answer)
    assert "4 of 6 done, 2 not" in text
    assert (
        "ci in project training Not done: ci already has the role Viewer in project training."
        in text
    )
    assert "ops access rule added: Viewer in cluster west" in text
    assert text.rindex("Not done") < text.index("access rule added"), "refusals come first"
    assert "changed" in answer.headers["HX-Trigger"]
    rules = AccessRule.objects.living().filter(scope=acme.west)
    assert {rule.subject.name for rule in rules} == {"ci", "vera@acme.example", "ops"}
    assert {rule.created_by for rule in rules} == {"ada@acme.example"}
    created = AuditEvent.objects.filter(action="create", entity_type="access_rule")
    assert created.count() == 4


def test_a_single_new_rule_is_marked_in_the_list(
    browser: Client, ci: Application, acme: Organization
) -> None:
    form = _saving("Viewer", acme.west, subject=[ci.pk])
    content = browser.post(NEW, form).content.decode()
    made = AccessRule.objects.get(scope=acme.west)
    assert f'href="/access-rules/?changed={made.pk}&amp;new=1"' in content
    page = browser.get("/access-rules/", {"changed": made.pk, "new": 1, "sort": "subject"})
    assert "ci New" in text_of(page)


def test_a_denied_grant_is_reported_and_audited(
    ci: Application, acme: Organization, as_: SignedIn
) -> None:
    lea = factories.person("lea@acme.example", "Department administrator", acme.vision)
    factories.custom_role("Granter", access_rules="crud", apps="r")
    factories.rule(lea, "Granter", acme.speech)
    form = _saving("L2 researcher", acme.training, acme.dictation, subject=[ci.pk])
    text = text_of(as_(lea).post(NEW, form))
    assert "1 of 2 done, 1 not" in text
    reason = "To assign L2 researcher in project dictation, you need"
    assert f"ci in project dictation Not done: {reason}" in text
    assert AuditEvent.objects.get(result=AuditEvent.Result.FAILED).reason.startswith(reason)


def test_a_hidden_subject_can_get_its_first_rule_by_name(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    factories.application("bare")
    client = as_(dina)
    assert _listed(client.get(NEW).content.decode()) == ["dina@acme.example"]
    searching = {"do": "refresh", "find_subject": "bar"}
    assert "No results for “bar” among the subjects you can see" in text_of(
        client.post(NEW, searching)
    )
    searching["find_subject"] = "bare"
    assert _listed(client.post(NEW, searching).content.decode()) == ["bare"]
    bare = Subject.objects.get(name="bare")
    answer = client.post(NEW, _saving("Viewer", acme.training, subject=[bare.pk]))
    assert "1 of 1 done" in text_of(answer)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["Select a subject.", "Select a role.", "Select a scope."]),
        ({"role": "7"}, ["Select a subject.", "Select a scope."]),
        (
            {"subject": "x", "role": "x", "scope": "x"},
            ["Select a subject.", "can't assign this role"],
        ),
        ({"role": "\x00", "scope": "\x00", "subject": "\x00"}, ["You can't assign this role"]),
        ({"role": "1711", "scope": "9" * 9}, ["You can't assign", "You can't add access rules"]),
        ({"role": "9" * 40, "scope": "9" * 40}, ["You can't assign", "Select a scope."]),
        (
            {"subject": "00000000-0000-0000-0000-000000000000"},
            ["Some of the selected subjects were deleted"],
        ),
    ],
)
def test_missing_and_unknown_values_are_field_errors(
    browser: Client, ci: Application, fields: dict[str, str], expected: list[str]
) -> None:
    answer = browser.post(NEW, {"do": "save", **fields})
    assert answer.status_code == 422
    assert [text for text in expected if text not in text_of(answer)] == []
    assert AccessRule.objects.living().count() == 2


def test_more_than_ten_subjects_or_scopes_are_refused(browser: Client, acme: Organization) -> None:
    many = [factories.application(f"app-{number}").pk for number in range(11)]
    scopes = [factories.project(f"p{number}", acme.vision) for number in range(11)]
    answer = browser.post(NEW, _saving("Viewer", *scopes, subject=many))
    assert answer.status_code == 422
    assert "Select at most 10 subjects, not 11." in text_of(answer)
    assert "Select at most 10 scopes, not 11." in text_of(answer)
    assert len(_checked(answer.content.decode(), "subject")) == 11
    assert AccessRule.objects.living().count() == 1


def test_the_dialog_requires_creating_access_rules(vera: User, as_: SignedIn) -> None:
    assert as_(vera).get(NEW).status_code == 403
    assert as_(vera).post(NEW, {"do": "save"}).status_code == 403


# Pickers


def test_the_picker_lists_visible_subjects_by_name_and_type(
    browser: Client, ci: Application, ada: User
) -> None:
    factories.group("ops")
    assert _listed(browser.get(NEW).content.decode()) == ["ada@acme.example", "ci", "ops"]
    searching = {"do": "refresh", "subject_type": "group"}
    assert _listed(browser.post(NEW, searching).content.decode()) == ["ops"]
    searching = {"do": "refresh", "find_subject": "ACME"}
    assert _listed(browser.post(NEW, searching).content.decode()) == ["ada@acme.example"]


def test_a_subject_in_the_url_is_preselected(browser: Client, ci: Application) -> None:
    assert _checked(browser.get(NEW, {"subject": ci.pk}).content.decode(), "subject") == {
        str(ci.pk)
    }


def test_selections_stay_during_a_search(
    browser: Client, ci: Application, vera: User, acme: Organization
) -> None:
    searching = {
        "do": "refresh", "subject": [ci.pk], "scope": [acme.training.pk, acme.west.pk],
        "find": "dictation", "find_subject": "vera", "role": "7",
    }  # fmt: skip
    content = browser.post(NEW, searching).content.decode()
    assert _listed(content) == ["ci", "vera@acme.example"]
    assert _checked(content, "subject") == {str(ci.pk)}
    assert _checked(content, "scope") == {str(acme.training.pk), str(acme.west.pk)}
    assert f'value="{acme.dictation.pk}" id="scope-{acme.dictation.pk}">' in content
    assert re.search(r'<option value="7"[^>]* selected>Viewer', content)
    assert "acme / east / vision / training" in text_of(browser.post(NEW, searching))


def test_the_tree_opens_branches_of_selected_scopes(browser: Client, acme: Organization) -> None:
    searching = {"do": "refresh", "scope": [acme.training.pk, acme.dictation.pk]}
    content = browser.post(NEW, searching).content.decode()
    checked = _checked(content, "scope")
    assert checked == {str(acme.training.pk), str(acme.dictation.pk)}
    assert content.count('name="scope"') == len(set(re.findall(r'id="(scope-\d+)"', content)))


def test_with_many_subjects_the_search_matches_prefixes(
    browser: Client, ci: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accessrules.console.pickers import subjects as subject_picker
    from runai_access.lists.keyset import Count

    monkeypatch.setattr(subject_picker, "count_up_to", lambda _: Count(10_000, is_exact=False))
    factories.application("my-ci")
    answer = browser.post(NEW, {"do": "refresh", "find_subject": "CI"})
    assert _listed(answer.content.decode()) == ["ci"]
    assert "The search matches the beginning of names." in text_of(answer)


def test_a_role_links_to_its_permissions(browser: Client, acme: Organization) -> None:
    assert 'href="/roles/7/"' in browser.get(NEW).content.decode()
