"""The dialogs of scopes say what will happen, refuse with the reason, and show what happened."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from accessrules.models import Scope
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.web.conftest import DIALOG, Organization, SignedIn, text_of

pytestmark = pytest.mark.any_database

NEW = "/scopes/new/"


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    return as_(ada)


def url(action: str, scope: Scope) -> str:
    return f"/scopes/{scope.pk}/{action}/"


def places_offered(response: HttpResponse) -> set[int]:
    found = re.findall(r'type="radio" name="scope" value="(\d+)"', response.content.decode())
    return {int(pk) for pk in found}


def exists(name: str, parent: Scope) -> bool:
    return Scope.objects.filter(name=name, parent=parent).exists()


# Every dialog


@pytest.mark.parametrize("name", ["new", "rename", "move", "delete"])
def test_every_dialog_works_as_a_page_and_with_htmx(
    browser: Client, acme: Organization, name: str
) -> None:
    address = NEW if name == "new" else url(name, acme.training)
    page, part = browser.get(address), browser.get(address, headers=DIALOG)
    for answer in (page, part):
        assert answer.status_code == 200
        assert answer.content.decode().count('id="dialog-title"') == 1
        assert "HX-Request" in answer.headers["Vary"]
    assert "<html" in page.content.decode()
    assert "<html" not in part.content.decode()
    assert 'href="/scopes/' in page.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["rename", "move", "delete"])
def test_hidden_scopes_are_404_and_denied_ones_403_with_reason(
    dina: User, acme: Organization, as_: SignedIn, name: str, method: str
) -> None:
    client = as_(dina)
    assert getattr(client, method)(url(name, acme.dictation)).status_code == 404
    assert getattr(client, method)(url(name, Scope(pk=10**9))).status_code == 404
    before = AuditEvent.objects.count()
    refused = getattr(client, method)(url(name, acme.vision), {"name": "mine"}, headers=DIALOG)
    assert refused.status_code == 403
    assert "departments” permission" in text_of(refused)
    assert AuditEvent.objects.count() == before + 1
    assert Scope.objects.get(pk=acme.vision.pk).name == "vision"


@pytest.mark.parametrize("name", ["rename", "move", "delete"])
def test_the_account_cannot_be_changed(browser: Client, db: None, name: str) -> None:
    answer = browser.post(url(name, factories.account()), {"name": "x"})
    assert answer.status_code == 403
    assert "account” permission in account acme" in text_of(answer) or name == "move"
    assert factories.account().name == "acme"


# Creating


def test_a_new_scope_is_created_and_shown(browser: Client, acme: Organization) -> None:
    answer = browser.post(NEW, {"name": " sight ", "scope": acme.vision.pk})
    made = Scope.objects.get(name="sight")
    assert (made.type, made.parent) == (Scope.Type.PROJECT, acme.vision)
    assert answer.url == f"/scopes/?changed={made.pk}&new=1"
    page = browser.get(answer.url)
    assert "Project sight created." in text_of(page)
    assert "badge-changed" in page.content.decode()
    over = browser.post(NEW, {"name": "sound", "scope": acme.vision.pk}, headers=DIALOG)
    assert over.status_code == 204
    assert "changed" in over.headers["HX-Trigger"]


def test_the_dialog_names_the_type_of_the_new_scope(browser: Client, acme: Organization) -> None:
    assert "New scope" in text_of(browser.get(NEW))
    for parent, child in [(acme.vision, "project"), (acme.east, "department")]:
        assert f"New {child}" in text_of(browser.get(NEW, {"scope": parent.pk}))
    refreshed = browser.post(NEW, {"name": "kept", "scope": acme.east.pk, "do": "refresh"})
    assert "New department" in text_of(refreshed)
    assert 'value="kept"' in refreshed.content.decode()
    assert not Scope.objects.filter(name="kept").exists()


def test_parents_are_selectable_where_scopes_can_be_created(
    browser: Client, dina: User, acme: Organization, as_: SignedIn
) -> None:
    mine = places_offered(browser.get(NEW))
    departments = {acme.vision.pk, acme.speech.pk}
    assert mine == {factories.account().pk, acme.east.pk, acme.west.pk, *departments}
    assert places_offered(as_(dina).get(NEW)) == {acme.vision.pk}
    found = browser.post(NEW, {"find": "VIS", "do": "refresh"})
    assert places_offered(found) == {acme.vision.pk}
    none = browser.post(NEW, {"find": "train", "do": "refresh"})
    assert "No results for “train” among the possible parents." in text_of(none)


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({}, 422, "Enter a name."),
        ({"name": "x"}, 422, "Select a parent."),
        ({"name": "x", "scope": "training"}, 422, "You can't create or move scopes there."),
        ({"name": "x", "scope": "99999999"}, 422, "You can't create or move scopes there."),
        ({"name": "training", "scope": "{vision}"}, 409, "The name training is taken"),
        ({"name": "x" * 256, "scope": "{vision}"}, 422, "A name must have 1 to 255 characters."),
        ({"name": "a\u200eb", "scope": "{vision}"}, 422, "unprintable characters"),
    ],
)
def test_invalid_input_is_reported_and_creates_nothing(
    browser: Client, acme: Organization, fields: dict[str, str], status: int, message: str
) -> None:
    fields = {key: value.format(vision=acme.vision.pk) for key, value in fields.items()}
    count = Scope.objects.count()
    for headers in ({}, DIALOG):
        answer = browser.post(NEW, fields, headers=headers)
        assert answer.status_code == status
        assert message in text_of(answer)
    assert Scope.objects.count() == count


def test_the_create_dialog_requires_permission(vera: User, as_: SignedIn) -> None:
    answer = as_(vera).get(NEW)
    assert answer.status_code == 403
    assert "You need the “Create projects” permission" in text_of(answer)


# Renaming


def test_a_scope_is_renamed_and_shown(browser: Client, acme: Organization) -> None:
    assert 'value="training"' in browser.get(url("rename", acme.training)).content.decode()
    answer = browser.post(url("rename", acme.training), {"name": "drill"})
    assert answer.url == f"/scopes/?changed={acme.training.pk}&selected={acme.training.pk}"
    assert "Project training renamed to drill." in text_of(browser.get(answer.url))
    assert exists("drill", acme.vision)


def test_a_taken_name_is_a_field_error(browser: Client, acme: Organization) -> None:
    factories.project("drill", acme.vision)
    answer = browser.post(url("rename", acme.training), {"name": "drill"}, headers=DIALOG)
    assert answer.status_code == 409
    assert 'id="name-error">The name drill is taken' in answer.content.decode()
    empty = browser.post(url("rename", acme.training), {"name": " "})
    assert empty.status_code == 422
    assert "Enter a name." in text_of(empty)


# Moving


def test_the_effects_of_a_move_are_previewed(browser: Client, acme: Organization) -> None:
    factories.person("here@acme.example", "Viewer", acme.vision)
    there = factories.person("there@acme.example")
    factories.rule(factories.group("ops", there), "L2 researcher", acme.speech)
    factories.person("both@acme.example", "Viewer", acme.east)
    address = url("move", acme.training)
    assert places_offered(browser.get(address)) == {acme.vision.pk, acme.speech.pk}
    first = browser.post(address, {"scope": acme.speech.pk, "do": "save"})
    text = text_of(first)
    assert first.status_code == 200
    assert "Effects of moving it to department speech" in text
    assert re.search(r"here@acme.example User Loses: \d+ permissions ", text)
    assert re.search(r"there@acme.example User Gains: \d+ permissions ", text)
    assert re.search(r"ops Group Gains: \d+ permissions ", text)
    assert "both@acme.example" not in text
    assert exists("training", acme.vision)
    done = browser.post(address, {"scope": acme.speech.pk, "do": "save", "seen": acme.speech.pk})
    assert done.url == f"/scopes/?changed={acme.training.pk}&selected={acme.training.pk}"
    message = "Project training moved to department speech."
    assert message in text_of(browser.get(done.url))
    assert exists("training", acme.speech)


def test_choosing_another_parent_previews_again(browser: Client, acme: Organization) -> None:
    third = factories.department("third", acme.west)
    seen = {"scope": third.pk, "do": "save", "seen": acme.speech.pk}
    answer = browser.post(url("move", acme.training), seen)
    assert "Effects of moving it to department third" in text_of(answer)
    assert exists("training", acme.vision)


def test_a_move_without_effects_is_reported(browser: Client, acme: Organization) -> None:
    answer = browser.post(url("move", acme.training), {"scope": acme.speech.pk, "do": "refresh"})
    assert "No subject loses or gains access." in text_of(answer)


@pytest.mark.parametrize("seen", [False, True])
def test_a_denied_move_names_the_missing_permission(
    acme: Organization, as_: SignedIn, seen: bool
) -> None:
    lea = factories.person("lea@acme.example", "Department administrator", acme.vision)
    granter = factories.custom_role("Granter", project="cr", access_rules="c")
    factories.rule(lea, granter.name, acme.speech)
    factories.person("theirs@acme.example", "L1 researcher", acme.speech)
    fields = {"scope": acme.speech.pk, "do": "save"} | ({"seen": acme.speech.pk} if seen else {})
    answer = as_(lea).post(url("move", acme.training), fields, headers=DIALOG)
    assert "To assign L1 researcher in department speech, you need" in text_of(answer)
    assert text_of(answer).count("To assign L1 researcher") == 1
    assert answer.status_code == (403 if seen else 200)
    assert "theirs@acme.example" not in text_of(answer)
    assert exists("training", acme.vision)
    assert AuditEvent.objects.filter(result="Failed").exists() == seen


def test_the_preview_omits_subjects_of_hidden_rules(acme: Organization, as_: SignedIn) -> None:
    lea = factories.person("lea@acme.example", "Department administrator", acme.vision)
    granter = factories.custom_role("Granter", project="cr", access_rules="c", workspaces="r")
    factories.rule(lea, granter.name, acme.speech)
    custom = factories.custom_role("Reader", workspaces="r")
    factories.rule(factories.person("theirs@acme.example"), custom.name, acme.speech)
    answer = as_(lea).post(url("move", acme.training), {"scope": acme.speech.pk, "do": "refresh"})
    assert "theirs@acme.example" not in text_of(answer)
    assert "Subjects whose access rules you can't see might lose" in text_of(answer)


def test_a_different_parent_must_be_chosen(browser: Client, acme: Organization) -> None:
    address = url("move", acme.training)
    none = browser.post(address, {"do": "save"})
    assert none.status_code == 422
    assert "Select a parent." in text_of(none)
    cluster = browser.post(address, {"do": "save", "scope": acme.east.pk})
    assert cluster.status_code == 422
    same = browser.post(address, {"do": "refresh", "scope": acme.vision.pk})
    assert "The project training is already in department vision." in text_of(same)


def test_a_name_taken_in_the_target_is_reported(browser: Client, acme: Organization) -> None:
    factories.project("training", acme.speech)
    fields = {"scope": acme.speech.pk, "do": "save", "seen": acme.speech.pk}
    answer = browser.post(url("move", acme.training), fields)
    assert answer.status_code == 409
    assert "The name training is taken in department speech." in text_of(answer)


# Deleting


def test_an_empty_scope_is_deleted(browser: Client, acme: Organization) -> None:
    address = url("delete", acme.training)
    assert "Delete project training?" in text_of(browser.get(address))
    answer = browser.post(address, {"from": f"/access/scopes/{acme.training.pk}/"})
    assert answer.url == "/scopes/"
    assert "Project training deleted." in text_of(browser.get(answer.url))
    assert not exists("training", acme.vision)


def test_blockers_are_counted_and_linked(browser: Client, acme: Organization) -> None:
    factories.rule(factories.group("ops"), "Viewer", acme.vision)
    address = url("delete", acme.vision)
    content = browser.get(address).content.decode()
    assert f"/scopes/?open={acme.vision.pk}&amp;selected={acme.vision.pk}" in content
    assert ">1 project<" in content
    assert f'href="/access-rules/?scope__any_of={acme.vision.pk}"' in content
    assert ">1 access rule<" in content
    assert "DELETE" not in content
    answer = browser.post(address, headers=DIALOG)
    assert answer.status_code == 409
    assert "The department vision has child scopes" in text_of(answer)
    assert exists("vision", acme.east)


def test_hidden_child_scopes_are_not_counted(acme: Organization, as_: SignedIn) -> None:
    """A Cloud operator deletes clusters and reads no departments."""
    clara = factories.person("clara@acme.example", "Cloud operator")
    text = text_of(as_(clara).get(url("delete", acme.east)))
    assert "Departments that you can't see" in text
    assert "2 department" not in text


def test_hidden_rules_are_not_counted(acme: Organization, as_: SignedIn) -> None:
    kim = factories.person("kim@acme.example")
    factories.rule(kim, factories.custom_role("Keeper", project="crud").name, acme.training)
    for name in ("one", "two"):
        factories.application(name, ("Viewer", acme.training))
    client, address = as_(kim), url("delete", acme.training)
    texts = text_of(client.get(address)), text_of(client.post(address, headers=DIALOG))
    for text in texts:
        assert "Access rules that you can't see" in text
        assert "2 access rule" not in text
    assert "The project training has access rules" in texts[1]


def test_without_javascript_a_dialog_returns_to_its_view(
    browser: Client, acme: Organization
) -> None:
    view = f"/scopes/?open={acme.vision.pk}"
    page = browser.get(url("rename", acme.training), {"from": view})
    assert f'name="from" value="{view}"' in page.content.decode()
    answer = browser.post(url("rename", acme.training), {"name": "drill", "from": view})
    assert answer.url == f"{view}&changed={acme.training.pk}&selected={acme.training.pk}"
