"""Exports of the Activity page: CSV of the view, and JSON with all details."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.lists import export
from tests.web.activity import LIST, happened
from tests.web.conftest import SignedIn, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(ada: User, as_: SignedIn) -> Client:
    """Ada's browser."""
    return as_(ada)


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig")


def test_view_can_be_downloaded_as_csv(browser: Client) -> None:
    happened("=cmd()", 0, changes={"enabled": [True, False]})
    happened("other", 1, action="delete")
    response = browser.get(f"{LIST}activity.csv", {"action__any_of": "update"})
    header, row = csv.reader(io.StringIO(body(response)))
    assert header[:5] == ["Time (UTC)", "Subject", "Action", "Entity", "Result"]
    assert row == [
        "2026-03-01 12:00:00", "rosa@acme.example", "Edit", "application =cmd()",
        "Succeeded", "enabled: yes → no", "192.0.2.1",
    ]  # fmt: skip


def test_view_can_be_downloaded_as_json_with_all_details(browser: Client) -> None:
    event = happened("größer", changes={"enabled": [True, False]}, path="/x", http_method="PUT")
    happened("other", 1, action="delete")
    response = browser.get(f"{LIST}activity.json", {"action__any_of": "update"})
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="activity.json"'
    [document] = json.loads(body(response))
    assert document["id"] == event.pk
    assert document["entity"]["name"] == "größer"
    assert document["changes"] == {"enabled": [True, False]}
    assert document["time"] == "2026-03-01T12:00:00+00:00"
    assert json.loads(body(browser.get(f"{LIST}activity.json", {"search": "none"}))) == []


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_truncated_file_says_so(
    browser: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROW_LIMIT", 2)
    for minute in range(3):
        happened(f"event {minute}", minute)
    response = browser.get(f"{LIST}activity.{kind}")
    assert response["X-Row-Limit-Reached"] == "true"
    assert f"activity-first-2-rows.{kind}" in response["Content-Disposition"]
    text = body(response)
    assert len(json.loads(text) if kind == "json" else text.splitlines()[1:]) == 2
    dialog = browser.get(f"{LIST}download/")
    assert "DOWNLOAD JSON" in text_of(dialog)
    assert 'href="/activity/activity.json"' in dialog.content.decode()


def test_reading_writes_nothing(browser: Client) -> None:
    happened()
    before = AuditEvent.objects.count()
    for address in ("", "activity.csv", "activity.json"):
        browser.get(LIST + address)
    assert AuditEvent.objects.count() == before
