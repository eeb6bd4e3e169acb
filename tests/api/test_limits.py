"""Limits of the token endpoint: what they apply to, and their responses."""

import json
from typing import Any

import pytest
from django.test import Client

from applications.oauth.secrets import new_secret
from tests import factories

V1, V2 = "/api/v1/token", "/api/v2/token"


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
