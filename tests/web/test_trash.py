"""The Trash page, restoring, and the dialog of a new application like another one."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accessrules.models import AccessRule, Subject
from applications.models import Application, DeletedApplication
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import (
    DIALOG,
    Organization,
    SignedIn,
    column,
    secret_in,
    submission_in,
    text_of,
)

TRASH = "/applications/trash/"


@pytest.fixture
def browser(as_: SignedIn, ada: User) -> Client:
    return as_(ada)


@pytest.fixture
def gone(acme: Organization) -> DeletedApplication:
    return factories.deleted_application("ci", ("Viewer", acme.training), deleted_by="kim")


def restore_url(gone: DeletedApplication) -> str:
    return reverse("trash:restore", args=[gone.pk])


def test_deleted_application_is_in_the_trash(browser: Client, acme: Organization) -> None:
    ci = factories.application("ci", ("Viewer", acme.training))
    dialog = text_of(browser.get(reverse("applications:delete", args=[ci.pk])))
    assert "The application and its access rules can be restored for 30 days" in dialog
    browser.post(reverse("applications:delete", args=[ci.pk]))
    assert 'href="/applications/trash/"' in browser.get("/applications/").content.decode()
    shown = browser.get(TRASH)
    assert column(shown, "application") == ["ci"]
    assert column(shown, "access_rules") == ["Viewer in project training"]
    assert column(shown, "deleted_by") == ["ada@acme.example"]


def test_restoring_opens_the_page_of_the_application(
    browser: Client, gone: DeletedApplication
) -> None:
    dialog = text_of(browser.get(restore_url(gone)))
    assert "Restore ci?" in dialog
    assert "Access rules 1 Viewer in project training" in dialog
    answer = browser.post(restore_url(gone), headers=DIALOG)
    application = Application.objects.get()
    assert answer.headers["HX-Redirect"] == application.get_absolute_url()
    page = text_of(browser.get(application.get_absolute_url()))
    assert "Application ci restored." in page
    assert "ci can't get a token until you add one." in page
    assert column(browser.get(TRASH), "application") == []
    assert "The trash is empty" in text_of(browser.get(TRASH))
    assert browser.get(restore_url(gone)).status_code == 404


def test_taken_name_is_reported_in_the_dialog(browser: Client, gone: DeletedApplication) -> None:
    factories.application("ci")
    answer = browser.post(restore_url(gone), headers=DIALOG)
    assert answer.status_code == 409
    assert "The name ci is taken" in text_of(answer)


def test_rules_that_cannot_be_restored_are_listed(
    browser: Client, gone: DeletedApplication, acme: Organization
) -> None:
    acme.training.delete()
    shown = text_of(browser.get(restore_url(gone)))
    assert "because they have expired, or their role or scope no longer exists: Viewer in" in shown
    browser.post(restore_url(gone))
    page = text_of(browser.get(Application.objects.get().get_absolute_url()))
    assert "Access rule not restored: Viewer in project training." in page


def test_missing_permission_refuses_to_restore(as_: SignedIn, gone: DeletedApplication) -> None:
    factories.custom_role("Application manager", apps="crud")
    browser = as_(factories.person("kim@acme.example", "Application manager"))
    shown = browser.get(TRASH)
    assert column(shown, "access_rules") == ["Not visible"]
    assert "Viewer" not in text_of(browser.get(restore_url(gone)))
    answer = browser.post(restore_url(gone), headers=DIALOG)
    assert answer.status_code == 403
    assert "and 25 more in project training. To manage its credentials" in text_of(answer)


def test_readers_of_applications_in_a_scope_have_no_trash(as_: SignedIn, dina: User) -> None:
    assert TRASH not in as_(dina).get("/applications/").content.decode()
    assert as_(dina).get(TRASH).status_code == 403


def test_reader_sees_the_trash_without_restore(as_: SignedIn, gone: DeletedApplication) -> None:
    auditor = as_(factories.person("rae@acme.example", "Auditor"))
    shown = auditor.get(TRASH)
    assert column(shown, "application") == ["ci"]
    assert "RESTORE" not in text_of(shown)
    assert auditor.post(restore_url(gone)).status_code == 403


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"application__contains": "c"}, ["cd", "ci"]),
        ({"deleted_by__is": "KIM"}, ["ci"]),
        ({"search": "kim"}, ["ci"]),
        ({"search": "PAT"}, ["cd"]),
        ({"deleted__last_days": "1"}, ["cd", "ci"]),
        ({"deleted__before": "2020-01-01"}, []),
    ],
)
def test_trash_is_filtered_and_searched(
    browser: Client, gone: DeletedApplication, query: dict[str, str], names: list[str]
) -> None:
    factories.deleted_application("cd", deleted_by="pat")
    shown = browser.get(TRASH, {**query, "sort": "application"})
    assert column(shown, "application") == names


def test_file_contains_the_deleted_rules(
    browser: Client, as_: SignedIn, gone: DeletedApplication
) -> None:
    factories.custom_role("Reader", apps="r")
    reader = as_(factories.person("rae@acme.example", "Reader"))
    url = f"{TRASH}deleted-applications.csv"
    assert "ci,Viewer in project training,20" in browser.get(url).getvalue().decode()
    assert "ci,,20" in reader.get(url).getvalue().decode()


# A new application like another one.


@pytest.fixture
def ci(acme: Organization) -> Application:
    return factories.application("ci", ("Viewer", acme.training), ("Viewer", acme.west))


def create_like(browser: Client, ci: Application, name: str, number: str = "") -> Any:
    url = reverse("applications:like", args=[ci.pk])
    number = number or submission_in(browser.get(url))
    return browser.post(url, {"name": name, "submission": number}, headers=DIALOG)


def test_new_application_like_another_one_has_its_rules(browser: Client, ci: Application) -> None:
    url = reverse("applications:like", args=[ci.pk])
    assert url in browser.get(ci.get_absolute_url()).content.decode()
    dialog = text_of(browser.get(url))
    assert "New application like ci" in dialog
    assert (
        "It gets these access rules 2 Viewer in project training Viewer in cluster west" in dialog
    )
    answer = create_like(browser, ci, "cd")
    assert secret_in(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access rules added 2" in text_of(answer)
    copied = AccessRule.objects.filter(subject=Subject.objects.get(name="cd"))
    assert [rule.scope.name for rule in copied] == ["training", "west"]


def test_dialog_names_the_rules_that_the_user_cannot_grant(
    as_: SignedIn, ci: Application, acme: Organization
) -> None:
    factories.custom_role("Application manager", apps="cr", access_rules="r")
    kim = factories.person("kim@acme.example", "Application manager")
    factories.rule(kim, "Department administrator", acme.vision)
    browser = as_(kim)
    dialog = text_of(browser.get(reverse("applications:like", args=[ci.pk])))
    assert "You can't grant these, so it does not get them: Viewer in cluster west" in dialog
    answer = text_of(create_like(browser, ci, "cd"))
    assert "Not added, because you can't grant them: Viewer in cluster west" in answer


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [("ci", 409, "An application named ci already exists."), ("-", 422, "A name must have 2 to")],
)
def test_invalid_name_is_reported_beside_the_field(
    browser: Client, ci: Application, name: str, status: int, error: str
) -> None:
    answer = create_like(browser, ci, name)
    assert answer.status_code == status
    assert error in text_of(answer)
    assert "It gets these access rules" in text_of(answer)


def test_submitting_twice_creates_one_application(browser: Client, ci: Application) -> None:
    number = str(uuid.uuid4())
    assert create_like(browser, ci, "cd", number).status_code == 200
    assert create_like(browser, ci, "cd", number).status_code == 409
    assert Application.objects.count() == 2
