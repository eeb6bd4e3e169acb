"""The use of client secrets: what is counted, when it is written, and what it says about revoking."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from applications.models import Application, ClientSecret, SecretUse
from applications.oauth import secret_use
from applications.oauth.client_authentication import recognize, sign_in
from applications.oauth.secret_use import UseBuffer, agent_of, delete_old_uses
from applications.oauth.secrets import new_secret
from applications.secret_reports import SecretReport, reports_of
from runai_access.audit.recorder import Origin
from runai_access.db import outage
from tests import factories
from tests.domain.racing import together

RUNNER = Origin("192.0.2.7", agent="runner/1.0")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    """The time, which a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(timezone, "now", found)
    return found


@pytest.fixture
def buffer(db: None, monkeypatch: pytest.MonkeyPatch) -> UseBuffer:
    """The buffer of a new process."""
    found = UseBuffer()
    monkeypatch.setattr("applications.oauth.client_authentication.BUFFER", found)
    return found


@pytest.fixture
def text() -> str:
    return new_secret()


@pytest.fixture
def ci(db: None, text: str) -> Application:
    return factories.application("ci-prod", secret=text)


def report(application: Application) -> SecretReport:
    (only,) = reports_of(Application.objects.get(pk=application.pk))
    return only


def rows() -> list[tuple[str, str, int]]:
    return sorted(SecretUse.objects.values_list("address", "agent", "count"))


# Counting.


def test_first_use_of_a_day_is_written_immediately(
    ci: Application, text: str, buffer: UseBuffer, clock: Clock
) -> None:
    assert recognize("ci-prod", text, RUNNER)
    assert rows() == [("192.0.2.7", "runner/1.0", 1)]
    assert ClientSecret.objects.get().last_used_at == NOW
    clock.now += 24 * HOUR
    assert recognize("ci-prod", text, RUNNER)
    assert SecretUse.objects.count() == 2
    assert ClientSecret.objects.get().last_used_at == clock.now


def test_further_uses_are_written_together(
    ci: Application,
    text: str,
    buffer: UseBuffer,
    clock: Clock,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for origin in (RUNNER, RUNNER, Origin("192.0.2.8", agent="curl/8"), RUNNER):
        assert recognize("ci-prod", text, origin)
    with django_assert_num_queries(1):  # the look-up of the client
        recognize("ci-prod", text, RUNNER)
    assert rows() == [("192.0.2.7", "runner/1.0", 1)]
    clock.now += HOUR
    buffer.write()
    assert rows() == [("192.0.2.7", "runner/1.0", 4), ("192.0.2.8", "curl/8", 1)]
    with django_assert_num_queries(0):
        buffer.write()


def test_token_grant_counts_and_a_wrong_secret_does_not(
    ci: Application, text: str, buffer: UseBuffer
) -> None:
    assert recognize("ci-prod", new_secret(), RUNNER) is None
    assert recognize("ci-prod", text, RUNNER, known_as="another") is None
    assert rows() == []
    assert sign_in("ci-prod", text, RUNNER)
    assert rows() == [("192.0.2.7", "runner/1.0", 1)]


def test_processes_add_up_their_counts(ci: Application, buffer: UseBuffer) -> None:
    key = ci.used_secret.pk
    for process in (buffer, UseBuffer(), UseBuffer()):
        for _ in range(3):
            process.note(key, RUNNER, timezone.now())
        process.write()
    assert rows() == [("192.0.2.7", "runner/1.0", 9)]


@pytest.mark.django_db(transaction=True)
def test_concurrent_writes_lose_no_count() -> None:
    key = factories.application("ci-prod").used_secret.pk
    other = factories.application("ci-test").used_secret.pk

    def write() -> None:
        process = UseBuffer()
        for secret in (key, other, other, key):
            process.note(secret, RUNNER, timezone.now())
        process.write()

    outcomes = together([write] * 4)
    assert outcomes == [None] * 4
    assert [count for *_, count in rows()] == [8, 8]


def test_callers_beyond_a_limit_share_a_row(
    ci: Application, buffer: UseBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_use, "MAX_CALLERS", 3)
    for _ in range(2):
        for number in range(6):
            buffer.note(ci.used_secret.pk, Origin(f"192.0.2.{number}", agent="x"), timezone.now())
        buffer.write()
    assert sum(count for *_, count in rows()) == 12
    assert len(rows()) == 4
    assert rows()[0] == ("", "", 6)


def test_full_buffer_still_counts(
    ci: Application, buffer: UseBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_use, "_MAX_BUFFERED", 2)
    for number in range(6):
        buffer.note(ci.used_secret.pk, Origin(f"192.0.2.{number}"), timezone.now())
    assert len(buffer._uses) <= 3
    buffer.write()
    assert sum(count for *_, count in rows()) == 6


def test_outage_neither_refuses_a_client_nor_loses_counts(
    ci: Application, text: str, buffer: UseBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(outage, "handle_outage", lambda _: None)
    with monkeypatch.context() as patch:
        patch.setattr(secret_use, "_write_batch", away)
        for _ in range(2):
            assert recognize("ci-prod", text, RUNNER)
        with pytest.raises(OperationalError):
            buffer.write()
    buffer.write()
    assert rows() == [("192.0.2.7", "runner/1.0", 2)]


def test_uses_of_a_deleted_secret_are_forgotten(ci: Application, buffer: UseBuffer) -> None:
    kept = factories.application("kept").used_secret.pk
    for key in (ci.used_secret.pk, kept):
        buffer.note(key, RUNNER, timezone.now())
        buffer.note(key, RUNNER, timezone.now())
    ci.delete()
    buffer.write()
    assert rows() == [("192.0.2.7", "runner/1.0", 2)]


def test_user_agent_is_stored_short_printable_and_without_credentials() -> None:
    secret = new_secret()
    assert agent_of("x" * 300) == "x" * 200
    assert agent_of("a\x00b\x1b[31m\n") == "ab[31m"
    assert agent_of(f"curl {secret}") == "curl ras_…"


def test_old_uses_are_deleted(ci: Application, clock: Clock, buffer: UseBuffer) -> None:
    buffer.note(ci.used_secret.pk, RUNNER, timezone.now())
    clock.now += 90 * 24 * HOUR
    assert delete_old_uses() == 0
    clock.now += 24 * HOUR
    assert delete_old_uses() == 1


# What it says about revoking.


def test_unused_secret_is_safe_to_revoke(ci: Application) -> None:
    found = report(ci)
    assert found.is_safe_to_revoke
    assert (found.last_used_at, found.total, found.bars, found.callers) == (None, 0, [], [])


def test_secret_is_safe_to_revoke_a_day_after_its_last_use(
    ci: Application, buffer: UseBuffer, clock: Clock
) -> None:
    buffer.note(ci.used_secret.pk, RUNNER, timezone.now())
    clock.now += 23 * HOUR
    assert not report(ci).is_safe_to_revoke
    assert [caller.address for caller in report(ci).recent_callers] == ["192.0.2.7"]
    clock.now += 3 * HOUR
    assert report(ci).is_safe_to_revoke
    assert report(ci).recent_callers == []
    assert report(ci).unused_for == "26 hours"
    assert len(report(ci).callers) == 1
    clock.now += 100 * HOUR
    assert report(ci).unused_for == "5 days"


def test_secret_is_not_safe_to_revoke_while_a_token_can_live(
    ci: Application, buffer: UseBuffer, clock: Clock, settings: Settings
) -> None:
    settings.TOKEN_LIFETIME_MAX_SECONDS = settings.TOKEN_LIFETIME_SECONDS = 48 * 3600
    buffer.note(ci.used_secret.pk, RUNNER, timezone.now())
    clock.now += 47 * HOUR
    assert not report(ci).is_safe_to_revoke
    clock.now += 2 * HOUR
    assert report(ci).is_safe_to_revoke


def test_last_login_counts_as_use_of_a_secret_of_the_old_format(db: None) -> None:
    old = factories.application("ci-prod", secret=factories.old_secret())
    Application.objects.update(last_login=timezone.now() - HOUR)
    assert not report(old).is_safe_to_revoke
    ClientSecret.objects.update(last_used_at=timezone.now() - 30 * HOUR)
    assert report(old).is_safe_to_revoke


def test_report_counts_uses_per_day_and_caller(
    ci: Application, buffer: UseBuffer, clock: Clock
) -> None:
    for hours in (0, 0, 30, 31):
        clock.now = NOW + hours * HOUR
        buffer.note(ci.used_secret.pk, RUNNER, timezone.now())
        buffer.note(ci.used_secret.pk, Origin("192.0.2.8"), timezone.now())
    buffer.write()
    found = report(ci)
    assert [entry["uses"] for entry in found.uses_per_day] == [4, 4]
    assert len(found.days) == 90
    assert found.days[-1][0] == clock.now.date()
    assert [(caller.count, caller.last_at) for caller in found.callers] == [(4, clock.now)] * 2
    assert len(found.bars) == 2


def test_reports_of_many_secrets_take_few_queries(
    ci: Application, buffer: UseBuffer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        buffer.note(factories.client_secret(ci).pk, RUNNER, timezone.now())
    with django_assert_num_queries(3):
        assert len(reports_of(ci)) == 5
