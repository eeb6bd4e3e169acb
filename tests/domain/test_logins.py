"""Logins of applications in the audit log: once a minute and address, without repeated queries."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from applications.oauth import client_authentication
from applications.oauth.client_authentication import sign_in
from applications.oauth.secrets import new_secret
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
HERE, THERE = Origin("192.0.2.7"), Origin("192.0.2.8")


def logins() -> list[str | None]:
    events = AuditEvent.objects.filter(action="sign-in", result="Succeeded")
    return list(events.order_by("pk").values_list("source_ip", flat=True))


def test_logins_are_audited_once_a_minute_and_address(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    secret = new_secret()
    factories.application("ci", secret=secret)
    assert sign_in("ci", secret, HERE)
    with django_assert_num_queries(1):  # the look-up of the client
        assert sign_in("ci", secret, HERE)
    assert sign_in("ci", secret, THERE)
    assert logins() == ["192.0.2.7", "192.0.2.8"]
    now += timedelta(minutes=1)
    assert sign_in("ci", secret, HERE)
    assert sign_in("ci", secret, HERE)
    assert logins() == ["192.0.2.7", "192.0.2.8", "192.0.2.7"]


def test_a_login_whose_audit_row_was_rolled_back_is_audited_again() -> None:
    secret = new_secret()
    factories.application("ci", secret=secret)
    with transaction.atomic():
        assert sign_in("ci", secret, HERE)
        transaction.set_rollback(True)
    assert logins() == []
    assert sign_in("ci", secret, HERE)
    assert logins() == ["192.0.2.7"]


def test_the_memory_of_audited_logins_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_authentication, "_audited", {})
    monkeypatch.setattr(client_authentication, "_MAX_AUDITED", 2)
    secret = new_secret()
    factories.application("ci", secret=secret)
    for number in range(5):
        assert sign_in("ci", secret, Origin(f"192.0.2.{number}"))
        assert len(client_authentication._audited) <= 2
    assert len(logins()) == 5
