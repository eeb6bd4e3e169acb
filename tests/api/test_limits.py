"""Rate limits: what they apply to, and their responses."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accessrules.api import views
from applications.models import Application
from applications.oauth.secrets import new_secret
from runai_access.api import throttling
from runai_access.api.throttling import RateLimiter
from runai_access.errors import TooMany
from tests import factories
from tests.api.conftest import As

V1, V2 = "/api/v1/token", "/api/v2/token"


class Clock:
    """A clock that tests advance."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(throttling.time, "monotonic", lambda: self.now)


def grant(secret: str, client_id: str = "nightly") -> Any:
    body = {"grantType": "app_token", "clientId": client_id, "clientSecret": secret}
    return Client().post(V1, json.dumps(body), content_type="application/json")


@pytest.mark.django_db
def test_too_many_wrong_secrets_are_429_in_both_formats() -> None:
    factories.application("nightly", secret=new_secret())
    for _ in range(20):
        assert grant(new_secret()).status_code == 401
    refused = grant(new_secret())
    assert refused.status_code == refused.json()["code"] == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    form = f"grant_type=client_credentials&client_id=nightly&client_secret={new_secret()}"
    other = Client().post(V2, form, content_type="application/x-www-form-urlencoded")
    assert (other.status_code, other.json()["error"]) == (429, "temporarily_unavailable")
    assert 1 <= int(other.headers["Retry-After"]) <= 30


@pytest.mark.django_db
def test_an_unknown_client_is_limited_like_a_known_one() -> None:
    statuses = [grant(new_secret(), "nobody").status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2


@pytest.mark.django_db
def test_a_cached_secret_is_not_limited() -> None:
    secret = new_secret()
    factories.application("nightly", secret=secret)
    assert grant(secret).status_code == 200
    for _ in range(21):
        grant(new_secret())
    assert grant(secret).status_code == 200


@pytest.mark.django_db
def test_a_malformed_secret_is_not_counted() -> None:
    assert {grant("malformed").status_code for _ in range(30)} == {401}


def test_a_bucket_is_emptied_and_refilled(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    limit = RateLimiter(per_second=2, burst=4)
    caller, other = uuid.uuid4(), uuid.uuid4()
    for _ in range(4):
        limit.take(caller)
    with pytest.raises(TooMany) as refused:
        limit.take(caller)
    assert refused.value.retry_after == 1
    limit.take(other)
    clock.now += 0.5
    limit.take(caller)
    with pytest.raises(TooMany):
        limit.take(caller)


@pytest.mark.django_db
def test_a_caller_above_the_limit_is_429_and_others_are_not(
    as_: As, administrator: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch)
    monkeypatch.setattr(views, "RATE_LIMITER", RateLimiter(per_second=1, burst=2))
    other = as_(factories.application("other"))
    client = as_(administrator)
    answers = [client.get("/api/v1/apps") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1"
    assert other.get("/api/v1/authorization/permissions").status_code == 200
