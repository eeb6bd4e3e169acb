"""The user's sessions: their list, ending them, and their timeouts."""

from datetime import timedelta
from typing import NoReturn

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runai_access.accounts.devices import describe_device
from runai_access.accounts.models import User, UserSession, UserSessionManager
from runai_access.audit.models import AuditEvent
from runai_access.background.jobs import delete_expired_sessions
from tests import factories
from tests.web.conftest import DIALOG, SignedIn, text_of

OWN, ELSEWHERE = "/account/", "/account/sign-out-elsewhere/"
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", "System administrator", password=PASSWORD)


def sign_in(rosa: User, **meta: str) -> Client:
    client = Client(**meta)
    assert client.post("/sign-in/", {"email": rosa.email, "password": PASSWORD}).status_code == 302
    return client


def row_of(client: Client) -> UserSession:
    return UserSession.objects.get(pk=client.session.session_key)


def is_in(client: Client) -> bool:
    page, api = client.get(OWN).status_code, client.get("/api/v1/apps").status_code
    assert (page, api) in ((200, 200), (302, 401))
    return page == 200


def test_account_page_lists_the_users_own_sessions(rosa: User) -> None:
    here = sign_in(rosa, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    sign_in(rosa, REMOTE_ADDR="192.0.2.8")
    factories.person("nina@acme.example", password=PASSWORD)
    Client().post("/sign-in/", {"email": "nina@acme.example", "password": PASSWORD})
    text = text_of(here.get(OWN))
    assert "Sessions 2" in text
    assert "Firefox on Windows This session 192.0.2.7" in text
    assert "Unknown device 192.0.2.8" in text


def test_pages_never_contain_a_session_key(rosa: User) -> None:
    here, other = sign_in(rosa), sign_in(rosa)
    pages = [OWN, f"/account/sessions/{row_of(other).id}/end/"]
    for page in pages:
        content = here.get(page).content.decode()
        for client in (here, other):
            assert str(client.session.session_key) not in content


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "htmx"])
def test_ending_one_session_keeps_the_others(rosa: User, headers: dict[str, str]) -> None:
    here, stolen, other = sign_in(rosa), sign_in(rosa), sign_in(rosa)
    path = f"/account/sessions/{row_of(stolen).id}/end/"
    assert "change your password too" in text_of(here.get(path, headers=headers))
    answer = here.post(path, headers=headers)
    assert answer.status_code == (204 if headers else 302)
    assert [is_in(client) for client in (here, stolen, other)] == [True, False, True]
    event = AuditEvent.objects.filter(action="sign-out").get()
    assert (event.entity_name, event.changes) == (
        rosa.email,
        {"session": ["Unknown device", None]},
    )
    assert here.post(path).status_code == 404


def test_ending_the_current_session_signs_out(rosa: User) -> None:
    here, other = sign_in(rosa), sign_in(rosa)
    path = f"/account/sessions/{row_of(here).id}/end/"
    assert "You will be signed out" in text_of(here.get(path))
    assert here.post(path).url == "/sign-in/"
    assert not is_in(here)
    assert is_in(other)


def test_another_users_session_is_not_found(rosa: User, as_: SignedIn) -> None:
    here = sign_in(rosa)
    mallory = as_(factories.person("mallory@acme.example", "System administrator"))
    path = f"/account/sessions/{row_of(here).id}/end/"
    assert mallory.get(path).status_code == mallory.post(path).status_code == 404
    assert is_in(here)


def test_signing_out_elsewhere_keeps_this_session(rosa: User) -> None:
    here, other = sign_in(rosa), sign_in(rosa)
    key = here.session.session_key
    assert "You stay signed in here" in text_of(here.get(ELSEWHERE))
    assert here.post(ELSEWHERE).url == OWN
    assert here.session.session_key != key
    assert is_in(here)
    assert not is_in(other)
    assert "Sessions 1" in text_of(here.get(OWN))


def test_session_of_an_earlier_password_is_not_listed(rosa: User) -> None:
    sign_in(rosa)
    rosa.set_password("another horse battery")
    rosa.save()
    assert UserSession.objects.current(rosa) == []


# Timeouts


def last_seen(client: Client, *, seconds: int) -> None:
    UserSession.objects.filter(pk=client.session.session_key).update(
        last_seen=timezone.now() - timedelta(seconds=seconds)
    )


def test_idle_session_ends(rosa: User, settings: Settings) -> None:
    here, other = sign_in(rosa), sign_in(rosa)
    last_seen(other, seconds=settings.SESSION_IDLE_SECONDS + 1)
    assert "Sessions 1" in text_of(here.get(OWN))
    assert not is_in(other)
    last_seen(here, seconds=settings.SESSION_IDLE_SECONDS - 10)
    assert is_in(here)


@pytest.mark.parametrize("path", [OWN, "/api/v1/apps"])
def test_requests_keep_a_session_alive(rosa: User, path: str) -> None:
    here = sign_in(rosa)
    last_seen(here, seconds=90)
    before = row_of(here).last_seen
    here.get(path)
    seen = row_of(here).last_seen
    assert seen > before
    here.get(path)
    assert row_of(here).last_seen == seen, "stored at most once a minute"


def test_request_succeeds_while_the_database_refuses_writes(
    rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OperationalError("attempt to write a readonly database")

    here = sign_in(rosa)
    last_seen(here, seconds=90)
    monkeypatch.setattr(UserSessionManager, "filter", refuse)
    assert here.get("/applications/").status_code == 200


def test_using_a_session_does_not_extend_its_lifetime(rosa: User, settings: Settings) -> None:
    here = sign_in(rosa)
    ends = Session.objects.get(pk=here.session.session_key).expire_date
    assert abs((ends - timezone.now()).total_seconds() - settings.SESSION_COOKIE_AGE) < 60
    changed = {"current": PASSWORD, "new": "another horse battery"}
    answer = here.post("/account/password/", {**changed, "again": changed["new"]})
    assert answer.status_code == 302
    assert Session.objects.get(pk=here.session.session_key).expire_date == ends
    Session.objects.update(expire_date=timezone.now())
    assert not is_in(here)


def test_session_of_the_previous_version_is_listed_after_its_next_request(rosa: User) -> None:
    here = sign_in(rosa)
    UserSession.objects.all().delete()
    assert is_in(here)
    assert row_of(here).user == rosa


def test_housekeeping_deletes_rows_of_ended_sessions(rosa: User) -> None:
    here, other, third = sign_in(rosa), sign_in(rosa), sign_in(rosa)
    expired = Session.objects.filter(pk=other.session.session_key)
    expired.update(expire_date=timezone.now() - timedelta(days=1))
    # As a server of the previous version does, which does not know the other table.
    Session.objects.filter(pk=third.session.session_key)._raw_delete("default")
    delete_expired_sessions(lambda: True)
    assert UserSession.objects.get() == row_of(here)


@pytest.mark.parametrize(
    ("header", "device"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605 Edg/130.0", "Edge on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("curl/8", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_device_is_described(header: str, device: str) -> None:
    assert describe_device(header) == device
