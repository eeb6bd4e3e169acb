"""The client secrets on the page of an application: adding and revoking."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from applications.models import Application, ClientSecret
from applications.oauth.secret_use import BUFFER
from applications.oauth.secret_verification import authenticate
from runai_access.accounts.models import User
from runai_access.audit.recorder import Origin
from tests import factories
from tests.web.conftest import DIALOG, SECRET, SignedIn, column, secret_in, submission_in, text_of


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


# The use of secrets.


def test_page_shows_the_use_of_each_secret(browser: Client, ci: Application) -> None:
    BUFFER.note(ci.secrets.get().pk, Origin("192.0.2.7", agent="<b>runner</b>"), timezone.now())
    factories.client_secret(ci)
    shown = browser.get(ci.get_absolute_url())
    text = text_of(shown)
    assert "Last used: just now from 192.0.2.7 (<b>runner</b>)" in text
    assert "In use. Revoking it now breaks its callers." in text
    assert "Callers in the last 30 days (1)" in text
    assert "Safe to revoke: never used." in text
    content = shown.content.decode()
    assert "<b>runner" not in content
    assert 'aria-label="Uses per day in the last 90 days: 1 in total"' in content
    assert '<rect x="267" y="2" width="2" height="22"/>' in content


def test_revoking_shows_the_callers_that_would_break(browser: Client, ci: Application) -> None:
    secret = ci.secrets.get()
    url = reverse("applications:revoke-secret", args=[ci.pk, secret.pk])
    BUFFER.note(secret.pk, Origin("192.0.2.7", agent="runner/1.0"), timezone.now())
    dialog = text_of(browser.get(url))
    assert "These callers stop working: 192.0.2.7 runner/1.0 1 use, last just now" in dialog
    ago = timezone.now() - timedelta(hours=26)
    secret.uses.update(last_at=ago)
    ci.secrets.update(last_used_at=ago)
    dialog = text_of(browser.get(url))
    assert "Safe to revoke: unused for 26 hours." in dialog
    assert "runner" not in dialog


# The policy of the installation.


def test_dialog_offers_expiries_within_the_policy(
    browser: Client, ci: Application, settings: Settings
) -> None:
    url = reverse("applications:add-secret", args=[ci.pk])
    expiries = re.compile(r'<option value="(\w+)"( selected)?>')
    offered = expiries.findall(browser.get(url).content.decode())
    assert [value for value, _ in offered] == ["30", "90", "180", "365", "date", "never"]
    assert [value for value, selected in offered if selected] == ["90"]
    settings.SECRET_MAX_AGE_DAYS, settings.SECRET_EXPIRY_DAYS = 100, 45
    offered = expiries.findall(browser.get(url).content.decode())
    assert [value for value, _ in offered] == ["30", "45", "90", "date"]
    assert [value for value, selected in offered if selected] == ["45"]
    answer = send(browser, ci, expiry="date", date="2099-12-31")
    assert "A client secret must expire within 100 days." in text_of(answer)
    assert send(browser, ci, expiry="never").status_code == 422


def test_secret_above_the_maximum_age_is_reported(
    browser: Client, ci: Application, settings: Settings
) -> None:
    ci.secrets.update(created_at=timezone.now() - timedelta(days=31))
    assert "the maximum age" not in page(browser, ci)
    settings.SECRET_MAX_AGE_DAYS = 30
    assert "Older than 30 days, the maximum age. Replace it." in page(browser, ci)


# The columns of the list.


@pytest.fixture
def several(db: None) -> None:
    """Four applications: without secrets, with one, with two of which one expires, and expired."""
    now = timezone.now()
    factories.application("none").secrets.all().delete()
    factories.application("one").secrets.update(created_at=now - timedelta(days=400))
    factories.client_secret(factories.application("two"), expires_at=now + timedelta(days=10))
    factories.application("past").secrets.update(expires_at=now - timedelta(days=2))


COLUMNS = "application,client_secrets,oldest_secret,next_expiry"


def test_an_expired_secret_does_not_hide_that_the_next_one_expires(browser: Client) -> None:
    now, ci = timezone.now(), factories.application("ci")
    ci.secrets.update(expires_at=now - timedelta(days=2))
    factories.client_secret(ci, expires_at=now + timedelta(days=10))
    revoked = factories.application("revoked")
    revoked.secrets.update(expires_at=now + timedelta(days=10), revoked_at=now)
    shown = browser.get("/applications/", {"next_expiry__next_days": "30"})
    assert [name.split()[0] for name in column(shown, "application")] == ["ci"]
    assert not column(browser.get("/applications/", {"next_expiry__next_days": "9"}), "application")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"client_secrets__any_of": "0"}, ["none"]),
        ({"client_secrets__any_of": ["0", "2"]}, ["none", "two"]),
        ({"client_secrets__any_of": "5"}, []),
        ({"next_expiry__next_days": "30"}, ["two"]),
        ({"next_expiry__next_days": "5"}, []),
        ({"next_expiry__before": f"{timezone.now():%Y-%m-%d}"}, ["past"]),
        ({"next_expiry__never": "1"}, ["none", "one"]),
        ({"oldest_secret__before": f"{timezone.now() - timedelta(days=365):%Y-%m-%d}"}, ["one"]),
        ({"next_expiry__past": "1"}, ["past"]),
        ({"oldest_secret__last_days": "30"}, ["past", "two"]),
        ({"oldest_secret__days_ago": "30"}, ["one"]),
    ],
)
def test_list_is_filtered_by_secrets(
    browser: Client, several: None, query: dict[str, Any], names: list[str]
) -> None:
    shown = browser.get("/applications/", {**query, "columns": COLUMNS, "sort": "application"})
    assert sorted(name.split()[0] for name in column(shown, "application")) == names


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("client_secrets", ["none"]),
        ("-client_secrets", ["two"]),
        ("oldest_secret", ["none", "one"]),
        ("-next_expiry", ["two", "past"]),
    ],
)
def test_list_is_sorted_by_secrets(
    browser: Client, several: None, sort: str, first: list[str]
) -> None:
    shown = column(browser.get("/applications/", {"sort": sort, "columns": COLUMNS}), "application")
    assert [name.split()[0] for name in shown[: len(first)]] == first
    assert len(shown) == 4


def test_list_shows_the_secrets_of_each_application(browser: Client, several: None) -> None:
    shown = browser.get("/applications/", {"sort": "application", "columns": COLUMNS})
    assert column(shown, "client_secrets") == ["0", "1", "1", "2"]
    assert column(shown, "oldest_secret")[:2] == ["None", "1 year ago"]
    expiries = column(shown, "next_expiry")
    assert expiries[:2] == ["Never", "Never"]
    assert expiries[2].endswith("Expired")
    assert not expiries[3].endswith("Expired")


def test_file_contains_the_secrets_of_each_application(browser: Client, several: None) -> None:
    query = {"sort": "application", "columns": COLUMNS}
    sent = browser.get("/applications/applications.csv", query).getvalue().decode()
    assert "Application,Client secrets,Oldest secret (UTC),Next expiry (UTC)" in sent
    assert "none,0,," in sent
