"""Unauthenticated requests with made-up names fill neither the audit log nor memory."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from applications.oauth.tokens import issue
from runai_access.audit import recorder
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import MORE, Actor, Entity, Origin, record_once_a_minute
from tests import factories, sizes
from tests.domain.audit_log import Clock, set_recorder_clock
from tests.domain.racing import together

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
HOME = "192.0.2.1"
GUESSES, ADDRESSES = sizes.FLOOD, sizes.FLOOD_ADDRESSES
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the recorder's clock at noon; return a function that moves it."""
    return set_recorder_clock(monkeypatch, NOON)


def guess(client_id: str, address: str = HOME) -> None:
    """Request a token with a made-up client ID."""
    body = f"grant_type=client_credentials&client_id={client_id}&client_secret=nothing"
    form = "application/x-www-form-urlencoded"
    answer = Client().post("/api/v2/token", body, form, REMOTE_ADDR=address)
    assert answer.status_code == 401


def refuse(name: str, address: str | None = HOME, *, reason: str = "unknown") -> None:
    """Record a refusal of an unauthenticated client with a made-up name."""
    actor = Actor("anonymous", name, origin=Origin(address))
    record_once_a_minute(
        "sign-in", Entity("user", "", name), actor=actor, succeeded=False, reason=reason
    )


def address(number: int) -> str:
    return f"198.51.{number // 250}.{number % 250 + 1}"


def named() -> int:
    return AuditEvent.objects.exclude(subject_name=MORE).count()


def summaries() -> list[tuple[str | None, str]]:
    """Return the address and reason of the rows that summarize refusals."""
    rows = AuditEvent.objects.filter(subject_name=MORE).order_by("pk")
    return [(row.source_ip, row.reason) for row in rows]


# One source.


def test_made_up_client_ids_in_a_minute_are_ten_rows_and_a_summary() -> None:
    for number in range(GUESSES):
        guess(f"nobody-{number}")
    assert named() == 10
    assert summaries() == [(HOME, recorder.MORE_OF_NETWORK)]
    row = AuditEvent.objects.get(subject_name=MORE)
    assert (row.subject_type, row.entity_type, row.entity_id, row.entity_name, row.result) == (
        "anonymous", "application", "", MORE, "Failed",
    )  # fmt: skip


@pytest.mark.any_database
def test_made_up_emails_in_a_minute_are_ten_rows_and_a_summary() -> None:
    """Most are refused without checking the password; those refusals count as well."""
    browser = Client(REMOTE_ADDR=HOME)
    for number in range(GUESSES):
        form = {"email": f"nobody-{number}@acme.example", "password": "a wrong guess"}
        assert browser.post(reverse("accounts:sign-in"), form).status_code in (422, 429)
    assert named() == 10
    assert summaries() == [(HOME, recorder.MORE_OF_NETWORK)]


def test_200_guesses_in_an_hour_are_sixty_rows_and_a_summary(clock: Clock) -> None:
    for number in range(200):
        refuse(f"nobody-{number}")
        clock(timedelta(seconds=17))
    assert named() == 60
    assert summaries() == [(HOME, recorder.MORE_OF_NETWORK)]


@pytest.mark.any_database
def test_hours_of_guesses_write_61_rows_each(clock: Clock) -> None:
    hours = sizes.FLOOD_HOURS
    for number in range(hours * 60 * 3):
        refuse(f"nobody-{number}")
        clock(timedelta(seconds=20))
    assert named() == hours * 60
    assert len(summaries()) == hours


def test_a_network_has_one_summary_for_all_reasons_and_actions() -> None:
    for number in range(40):
        refuse(f"nobody-{number}", reason=f"reason {number}")
    guess("nobody")
    assert summaries() == [(HOME, recorder.MORE_OF_NETWORK)]


def test_an_ipv6_network_counts_as_one_source() -> None:
    for number in range(50):
        refuse(f"nobody-{number}", f"2001:db8::{number + 1:x}")
    assert named() == 10
    assert len(summaries()) == 1
    refuse("another", "2001:db8:0:1::1")
    assert named() == 11


@pytest.mark.django_db(transaction=True)
def test_equal_refusals_are_one_row_a_minute_and_count_once(clock: Clock) -> None:
    for _ in range(20):
        refuse("ci-pipeline-prod")
    for number in range(9):
        refuse(f"nobody-{number}")
    assert (named(), summaries()) == (10, [])
    clock(timedelta(minutes=1))
    refuse("ci-pipeline-prod")
    assert AuditEvent.objects.filter(subject_name="ci-pipeline-prod").count() == 2


def test_the_limits_restart_with_the_next_hour(clock: Clock) -> None:
    for number in range(20):
        refuse(f"nobody-{number}")
    clock(timedelta(hours=1))
    for number in range(20):
        refuse(f"nobody-{number}")
    assert named() == 20
    assert len(summaries()) == 2


def test_the_limits_restart_when_the_clock_is_set_back(clock: Clock) -> None:
    for number in range(200):
        refuse(f"nobody-{number}")
    clock(timedelta(days=-1))
    refuse("ci-pipeline-prod")
    assert AuditEvent.objects.filter(subject_name="ci-pipeline-prod").exists()


def test_a_late_thread_does_not_restart_the_minute(clock: Clock) -> None:
    for number in range(20):
        refuse(f"nobody-{number}")
        clock(timedelta(minutes=-1 if number % 2 else 1))
    assert named() == 1 + 10, "one before the minute ended"


# Many sources.


@pytest.mark.any_database
def test_guesses_from_many_addresses_are_600_rows_and_a_summary() -> None:
    for number in range(ADDRESSES):
        guess("nobody", address(number))
    assert named() == 600
    assert summaries() == [(None, recorder.MORE_OF_ALL)]


@pytest.mark.any_database
def test_many_names_from_many_addresses_have_the_same_limit(clock: Clock) -> None:
    for network in range(sizes.FLOOD_NETWORKS):
        for number in range(12):
            refuse(f"nobody-{number}", address(network))
    assert AuditEvent.objects.count() == 600 + 1
    assert summaries()[-1] == (None, recorder.MORE_OF_ALL)
    clock(timedelta(hours=1))
    refuse("nobody")
    assert AuditEvent.objects.count() == 600 + 2


@pytest.mark.any_database
def test_the_recorders_memory_is_bounded_during_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MAX_REMEMBERED", 50)
    for number in range(3000):
        refuse(f"nobody-{number}", address(number))
    counts = vars(recorder._refusals)
    sizes = {name: len(count) for name, count in counts.items() if hasattr(count, "__len__")}
    assert sizes
    assert max(sizes.values()) <= 600
    assert len(recorder.recently_logged) <= 50


def test_the_number_of_tracked_subjects_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MAX_TRACKED_SUBJECTS", 5)
    for number in range(20):
        deny(uuid.UUID(int=7), "denied", f"198.51.100.{number + 1}")
    assert len(recorder._refusals._of_subjects) == 5


def test_another_address_still_gets_separate_rows() -> None:
    for number in range(GUESSES):
        guess(f"nobody-{number}")
    guess("ci-pipeline-prod", "192.0.2.2")
    [event] = AuditEvent.objects.filter(source_ip="192.0.2.2")
    assert event.subject_name == "ci-pipeline-prod"


def test_a_refusal_before_the_flood_is_recorded_by_name() -> None:
    form = {"email": "rosa@acme.example", "password": "a wrong guess"}
    factories.person("rosa@acme.example", password=PASSWORD)
    Client(REMOTE_ADDR=HOME).post(reverse("accounts:sign-in"), form)
    for number in range(GUESSES):
        guess(f"nobody-{number}")
    event = AuditEvent.objects.get(subject_name="rosa@acme.example")
    assert (event.result, event.source_ip) == ("Failed", HOME)


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_have_the_same_limit() -> None:
    def job(first: int) -> None:
        for number in range(first, first + 25):
            refuse(f"nobody-{number}")

    jobs = [lambda first=first: job(first) for first in range(0, 200, 25)]
    assert together(jobs) == [None] * 8
    assert named() == 10
    assert summaries() == [(HOME, recorder.MORE_OF_NETWORK)]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_above_the_limits_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        refuse(f"nobody-{number}")
    monkeypatch.setattr(
        AuditEvent.objects, "bulk_create", lambda *_, **__: pytest.fail("it was written")
    )
    for number in range(20, 200):
        refuse(f"nobody-{number}")


@pytest.mark.django_db(transaction=True)
def test_a_failed_summary_is_written_with_the_next_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("the database is away")

    for number in range(10):
        refuse(f"nobody-{number}")
    with monkeypatch.context() as patch:
        patch.setattr(AuditEvent.objects, "bulk_create", away)
        with pytest.raises(ConnectionError):
            refuse("nobody-11")
    refuse("nobody-12")
    assert summaries() == [(HOME, recorder.MORE_OF_NETWORK)]


def test_another_process_writes_no_second_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        for number in range(20):
            refuse(f"nobody-{number}")
        monkeypatch.setattr(recorder, "_refusals", recorder._Refusals())
        recorder.recently_logged.clear()
    assert len(summaries()) == 1


# Authenticated callers.


def deny(subject_id: uuid.UUID, name: str, address: str = HOME) -> None:
    """Record a denial of an authenticated subject."""
    actor = Actor("user", "rosa@acme.example", subject_id, Origin(address))
    record_once_a_minute("read", Entity("request", "", name), actor=actor, succeeded=False)


def test_an_authenticated_caller_gets_100_rows_a_minute_and_a_summary(
    clock: Clock,
) -> None:
    robot = factories.application("robot")
    client = Client(headers={"Authorization": f"Bearer {issue(robot).text}"})
    for number in range(150):
        assert client.get(f"/api/v1/apps/{number}").status_code == 403
    assert AuditEvent.objects.count() == 101
    assert AuditEvent.objects.filter(entity_name=MORE).count() == 1
    assert set(AuditEvent.objects.values_list("subject_name", flat=True)) == {"robot"}
    clock(timedelta(minutes=1))
    for number in range(150):
        client.get(f"/api/v1/apps/{number}")
    assert AuditEvent.objects.count() == 202


def test_a_flood_does_not_affect_authenticated_callers() -> None:
    for number in range(ADDRESSES):
        refuse("nobody", address(number))
    deny(uuid.UUID(int=7), "/applications/")
    [event] = AuditEvent.objects.filter(subject_id=uuid.UUID(int=7))
    assert event.entity_name == "/applications/"


def test_a_successful_sign_in_is_always_recorded() -> None:
    for number in range(ADDRESSES):
        refuse("nobody", address(number))
    person = factories.person("ada@acme.example", password=PASSWORD)
    Client().post(reverse("accounts:sign-in"), {"email": person.email, "password": PASSWORD})
    assert AuditEvent.objects.filter(subject_id=person.pk, result="Succeeded").count() == 1
