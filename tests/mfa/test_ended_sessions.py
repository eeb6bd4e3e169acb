"""A request of a session that ends while the request waits changes nothing, and revives no session."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import Client

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts import middleware
from runai_access.accounts.actions import give_temporary_password, sign_out_user
from runai_access.accounts.mfa import new_app
from runai_access.accounts.mfa.actions import reset_factors
from runai_access.accounts.models import User
from runai_access.accounts.policy import factors_of
from tests.mfa.conftest import APP, PASSWORD, Clock, is_signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
NEW = "another horse battery staple"
Post = Callable[[Client, User, Clock], Any]


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Let something happen after the next request is authenticated, before its view runs."""
    note_use = middleware.note_use

    def once(happen: Callable[[], Any]) -> None:
        def note_and_happen(request: HttpRequest, user: User) -> None:
            note_use(request, user)
            monkeypatch.setattr(middleware, "note_use", note_use)
            happen()

        monkeypatch.setattr(middleware, "note_use", note_and_happen)

    return once


def _set_up(client: Client, user: User, clock: Clock) -> Any:
    new = new_app.generate(user)
    return client.post(APP, {"sealed": new.sealed, "code": clock.code(new.secret)})


def _remove(client: Client, user: User, clock: Clock) -> Any:
    factor = factors_of(user).get(type="totp")
    return client.post(f"/account/factors/{factor.pk}/remove/")


def _renew(client: Client, user: User, clock: Clock) -> Any:
    return client.post("/account/factors/recovery-codes/")


def _sign_out_elsewhere(client: Client, user: User, clock: Clock) -> Any:
    return client.post("/account/sign-out-elsewhere/")


def _change_password(client: Client, user: User, clock: Clock) -> Any:
    return client.post("/account/password/", {"current": PASSWORD, "new": NEW, "again": NEW})


@pytest.mark.parametrize("post", [_set_up, _remove, _renew, _sign_out_elsewhere, _change_password])
@pytest.mark.parametrize("end", [sign_out_user, reset_factors, give_temporary_password])
def test_attack_request_of_a_session_that_ends_meanwhile(
    client: Client, rosa: User, clock: Clock, then: Callable[..., None], post: Post, end: Any
) -> None:
    client.force_login(rosa)
    after: list[Any] = []

    def happen() -> None:
        end(caller=SYSTEM, user_id=rosa.pk)
        after.extend(factors_of(rosa).values_list("pk", "data"))

    then(happen)
    answer = post(client, rosa, clock)
    assert answer.status_code in (404, 409), "404 if the factor is gone"
    assert not is_signed_in(client)
    assert list(factors_of(rosa).values_list("pk", "data")) == after
    assert not User.objects.get().check_password(NEW)


def test_conflict_is_a_page_with_the_reason(
    client: Client, rosa: User, clock: Clock, then: Callable[..., None]
) -> None:
    client.force_login(rosa)
    then(lambda: sign_out_user(caller=SYSTEM, user_id=rosa.pk))
    answer = _renew(client, rosa, clock)
    assert answer.status_code == 409
    assert b"Your account was changed in the meantime. Sign in again." in answer.content


def _confirm(client: Client, user: User, clock: Clock) -> Any:
    return client.post("/account/confirm/", {"password": PASSWORD})


@pytest.mark.parametrize(
    "post", [_set_up, _remove, _sign_out_elsewhere, _change_password, _confirm]
)
def test_attack_request_of_one_session_that_ends_meanwhile(
    client: Client, rosa: User, clock: Clock, then: Callable[..., None], post: Post
) -> None:
    client.force_login(rosa)
    then(Session.objects.all().delete)
    assert post(client, rosa, clock).status_code == 409
    assert not is_signed_in(client)
