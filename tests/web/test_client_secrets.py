"""The client secrets on the page of an application: adding and revoking."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications.models import Application, ClientSecret
from applications.oauth.secret_verification import authenticate
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import DIALOG, SECRET, SignedIn, secret_in, submission_in, text_of


@pytest.fixture
def ci(db: None) -> Application:
    return factories.application("ci")


@pytest.fixture
def browser(as_: SignedIn, ada: User) -> Client:
    return as_(ada)


def send(browser: Client, ci: Application, **values: Any) -> Any:
    url = reverse("applications:add-secret", args=[ci.pk])
    number = submission_in(browser.get(url))
    return browser.post(url, {"expiry": "never", "submission": number, **values}, headers=DIALOG)


def page(browser: Client, ci: Application) -> str:
    return text_of(browser.get(ci.get_absolute_url()))


def test_added_secret_is_shown_once_and_works(browser: Client, ci: Application) -> None:
    answer = send(browser, ci, label="GitLab runner", expiry="90")
    secret = secret_in(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "The other secrets keep working until you revoke them." in text_of(answer)
    assert authenticate("ci", secret)
    shown = browser.get(ci.get_absolute_url())
    assert SECRET.search(shown.content.decode()) is None
    stored = ClientSecret.objects.get(label="GitLab runner")
    assert f"ras_{stored.pk}_… GitLab runner Live" in text_of(shown)
    assert "Client secret added." in text_of(shown)
    assert stored.expires_at is not None
    assert abs(stored.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)


def test_another_date_expires_at_its_end(browser: Client, ci: Application) -> None:
    send(browser, ci, expiry="date", date="2099-12-31")
    expires_at = ClientSecret.objects.exclude(expires_at=None).get().expires_at
    assert expires_at is not None
    assert expires_at.isoformat() == "2099-12-31T23:59:59+00:00"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"label": "x" * 300}, "A label must have at most 100 characters; this one has 300."),
        ({"expiry": "date", "date": "2020-01-01"}, "The expiry must be in the future."),
        ({"expiry": "date", "date": "soon"}, "Enter a date."),
        ({"expiry": "date"}, "Enter a date."),
        ({"expiry": "0"}, "Select a valid choice."),
    ],
)
def test_error_is_shown_beside_its_field(
    browser: Client, ci: Application, values: dict[str, str], error: str
) -> None:
    answer = send(browser, ci, **values)
    assert answer.status_code == 422
    assert error in text_of(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert ci.secrets.count() == 1


def test_sixth_secret_is_refused_in_the_dialog(browser: Client, ci: Application) -> None:
    for _ in range(4):
        factories.client_secret(ci)
    answer = send(browser, ci)
    assert answer.status_code == 409
    assert "ci has 5 client secrets, the maximum." in text_of(answer)


def test_resubmitting_the_form_shows_no_second_secret(browser: Client, ci: Application) -> None:
    number = str(uuid.uuid4())
    assert send(browser, ci, submission=number).status_code == 200
    again = send(browser, ci, submission=number)
    assert again.status_code == 409
    assert SECRET.search(again.content.decode()) is None
    assert ci.secrets.count() == 2


def test_revoking_warns_about_the_last_secret(browser: Client, ci: Application) -> None:
    old = ci.secrets.get()
    url = reverse("applications:revoke-secret", args=[ci.pk, old.pk])
    assert "ci has no other live secret." in text_of(browser.get(url))
    factories.client_secret(ci)
    assert "ci has no other live secret." not in text_of(browser.get(url))
    answer = browser.post(url, headers=DIALOG)
    assert answer.status_code == 204
    assert "Client secret revoked." in page(browser, ci)
    assert f"ras_{old.pk}_… Revoked" in page(browser, ci)
    assert browser.get(url).status_code == 404


def test_regenerating_warns_that_it_revokes_all_secrets(browser: Client, ci: Application) -> None:
    factories.client_secret(ci)
    dialog = text_of(browser.get(reverse("applications:regenerate", args=[ci.pk])))
    assert "Regenerating a client secret revokes all 2 current ones." in dialog


def test_expired_secret_is_reported_on_the_page(browser: Client, ci: Application) -> None:
    ci.secrets.update(expires_at=timezone.now())
    assert "Expired" in page(browser, ci)


def test_reader_sees_secrets_without_actions(as_: SignedIn, ci: Application) -> None:
    factories.custom_role("Reader", apps="r")
    reader = factories.person("rae@acme.example", "Reader")
    shown = page(as_(reader), ci)
    assert f"ras_{ci.secrets.get().pk}_…" in shown
    assert "ADD SECRET" not in shown
    assert "REVOKE" not in shown
