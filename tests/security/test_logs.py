"""What the log says of an error that nobody foresaw."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from applications.secrets import new_secret
from applications.tokens import issue
from tests import factories


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged, as the product is set to write it."""
    configured: Any = settings.LOGGING
    line = configured["formatters"]["line"]
    formatter: logging.Formatter = import_string(line["()"])(line["format"])
    return [formatter.format(record) for record in caplog.records]


@pytest.mark.django_db
def test_an_error_is_logged_with_the_id_that_its_answer_names(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without the credential that stood in the address, or in the error itself."""
    secret = new_secret()
    token = issue(factories.application("robot")).text

    def broken(*_: object) -> None:
        raise RuntimeError(f"a forced error about {token}")

    monkeypatch.setattr("applications.policy.visible_one", broken)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
    answer = client.get(f"/api/v1/apps/{secret}")
    assert answer.status_code == 500
    assert "logged with this request's id" in answer.json()["details"]
    [line] = [line for line in lines(caplog) if "Internal Server Error" in line]
    assert answer.headers["X-Request-Id"] in line
    assert "a forced error about eyJ…" in line
    assert secret[:20] not in line
    assert token.rpartition(".")[2] not in line
