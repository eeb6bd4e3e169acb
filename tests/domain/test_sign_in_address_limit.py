"""Limits on failed sign-ins per address and IPv6 site, for all users together."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from runai_access.accounts.backends import EmailBackend
from runai_access.accounts.models import User
from runai_access.accounts.signin import TooManyFailures
from runai_access.audit.models import AuditEvent
from runai_access.errors import Busy
from runai_access.security import hashing
from runai_access.security.models import AttemptCount
from tests import factories
from tests.domain.racing import together
from tests.domain.signing_in import (
    CAFE,
    HOME,
    PASSWORD,
    Clock,
    clock_at_noon,
    enter,
    fail,
    guess,
    is_locked,
    outcome,
    refusal,
    unlimited_capacity,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", password=PASSWORD)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return clock_at_noon(monkeypatch)


@pytest.fixture
def few(settings: Settings) -> None:
    """Six failures for an address and nine for an IPv6 site."""
    settings.SIGN_IN_ADDRESS_FAILURES = 6
    settings.SIGN_IN_NETWORK_FAILURES = 9


def spray(times: int, address: str | None = HOME, first: int = 0) -> None:
    """Fail once with each of `times` unknown emails; each guess is allowed."""
    for number in range(first, first + times):
        fail(1, f"invented-{number}@acme.example", address)


def counted() -> int:
    return sum(AttemptCount.objects.values_list("count", flat=True))


def test_thirty_failures_lock_the_address_for_all_users(rosa: User, clock: Clock) -> None:
    spray(30)
    refused = refusal("another@acme.example")
    assert str(refused) == "Too many failed attempts from your network."
    assert refused.seconds == 15 * 60
    with pytest.raises(TooManyFailures):
        enter()
    clock(timedelta(minutes=14, seconds=59))
    assert refusal("another@acme.example").seconds == 1
    clock(timedelta(seconds=1))
    assert enter() == rosa


def test_other_address_is_not_affected(rosa: User, few: None) -> None:
    spray(6)
    assert is_locked("another@acme.example")
    assert enter(address=CAFE) == rosa


def test_each_user_has_five_failures_at_an_address(rosa: User, few: None) -> None:
    fail(5)
    assert str(refusal()) == "Too many failed attempts."
    fail(1, "gus@acme.example")
    assert str(refusal("gus@acme.example")) == "Too many failed attempts from your network."


def test_longest_wait_is_reported(rosa: User, few: None, clock: Clock) -> None:
    spray(1)
    clock(timedelta(minutes=10))
    fail(5)
    refused = refusal()
    assert refused.seconds == 15 * 60, "not the 5 minutes of the address"
    assert str(refused) == "Too many failed attempts."
    assert refusal("another@acme.example").seconds == 5 * 60


def test_address_limit_ends_15_minutes_after_the_first_failure(few: None, clock: Clock) -> None:
    for number in range(12):
        spray(1, first=number)
        clock(timedelta(minutes=3))
    assert not is_locked("another@acme.example")


def test_refused_guesses_do_not_extend_the_address_lock(few: None, clock: Clock) -> None:
    spray(6)
    for _ in range(14):
        clock(timedelta(minutes=1))
        assert is_locked("another@acme.example")
    clock(timedelta(minutes=1))
    assert not is_locked("another@acme.example")


def test_success_gives_back_only_its_own_attempt(rosa: User, few: None) -> None:
    spray(5)
    for _ in range(3):
        assert enter() == rosa
    spray(1, first=5)
    assert is_locked("another@acme.example"), "the successes cleared failures of others"


def test_successes_lock_nobody_out(rosa: User, few: None) -> None:
    for _ in range(10):
        assert enter() == rosa
    assert counted() == 0


# IPv6.


def test_ipv6_64_bit_network_counts_as_one_address(few: None) -> None:
    for number in range(6):
        spray(1, f"2001:db8::{number + 1}", first=number)
    assert is_locked("another@acme.example", "2001:db8::99")
    assert not is_locked("another@acme.example", "2001:db8:0:1::1")


def test_failures_from_many_networks_lock_the_ipv6_site(rosa: User, few: None) -> None:
    for number in range(9):
        spray(1, f"2001:db8:7:{number}::1", first=number)
    refused = refusal("another@acme.example", "2001:db8:7:99::1")
    assert str(refused) == "Too many failed attempts from your network."
    with pytest.raises(TooManyFailures):
        enter(address="2001:db8:7:ffff::1")
    assert enter(address="2001:db8:8::1") == rosa


def test_limits_are_settings() -> None:
    program = (
        "from runai_access import settings as s; "
        "print(s.SIGN_IN_ADDRESS_FAILURES, s.SIGN_IN_NETWORK_FAILURES, s.SIGN_IN_USER_FAILURES)"
    )
    prefix = "RUNAI_ACCESS_SIGN_IN_"
    chosen = {"ADDRESS_FAILURES": "7", "NETWORK_FAILURES": "8", "USER_FAILURES": "9"}
    for numbers, printed in (({}, "30 300 20"), (chosen, "7 8 9")):
        environment = {f"{prefix}{name}": number for name, number in numbers.items()}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == printed


def test_ipv4_addresses_have_no_site(few: None) -> None:
    for number in range(12):
        spray(1, f"192.0.2.{number}", first=number)
    assert not is_locked("another@acme.example", "192.0.2.99")


def test_requests_without_an_address_share_one_count(few: None) -> None:
    spray(6, None)
    assert is_locked("another@acme.example", None)


# The cost of a refusal.


def test_refused_guess_writes_no_count_and_checks_no_password(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    spray(6)
    rows = AttemptCount.objects.count()
    monkeypatch.setattr(EmailBackend, "authenticate", lambda *_, **__: pytest.fail("checked"))
    with CaptureQueriesContext(connection) as queries:
        for number in range(50):
            assert is_locked(f"other-{number}@acme.example")
    assert AttemptCount.objects.count() == rows
    about_counts = [
        query["sql"] for query in queries if AttemptCount._meta.db_table in query["sql"]
    ]
    assert len(about_counts) == 50
    assert all(sql.startswith("SELECT") for sql in about_counts)


def test_busy_guess_changes_no_count(rosa: User) -> None:
    """Otherwise a flood would keep all threads waiting for the database."""
    with ExitStack() as others:
        for _ in range(hashing.MAX_CONCURRENT_GUESSES):
            others.enter_context(hashing.guessing(hashing.HashKind.PASSWORD))
        for right in (True, False):
            with CaptureQueriesContext(connection) as queries, pytest.raises(Busy) as busy:
                (enter if right else guess)()
            assert busy.value.retry_after in (1, 2)
            assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
        with hashing.guessing(hashing.HashKind.CLIENT_SECRET):
            pass
    assert enter() == rosa


def test_unknown_emails_store_a_bounded_number_of_counts(few: None) -> None:
    for number in range(100):
        outcome(f"invented-{number}@acme.example")
    # One for the address, and two for each email that was tried: at the address, and in total.
    assert AttemptCount.objects.count() == 1 + 2 * 6


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_share_the_count_of_the_address(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keycloak CVE-2024-4629, with a different email in each guess."""
    unlimited_capacity(monkeypatch)
    outcomes = together([partial(guess, f"invented-{number}@acme.example") for number in range(24)])
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds.count("NoneType") == 6, outcomes
    assert kinds.count("TooManyFailures") == 18, outcomes
    assert AttemptCount.objects.count() == 1 + 2 * 6, "refused guesses left counts behind"


def test_busy_guess_is_not_counted(rosa: User, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy("Too many sign-ins at the same time.", retry_after=2)

    monkeypatch.setattr(EmailBackend, "authenticate", busy)
    for number in range(10):
        with pytest.raises(Busy):
            guess(f"invented-{number}@acme.example", "2001:db8::1")
    assert counted() == 0


def test_locked_address_is_audited_with_its_reason(few: None) -> None:
    spray(6)
    assert is_locked("another@acme.example")
    event = AuditEvent.objects.latest("pk")
    assert (event.subject_name, event.reason) == (
        "another@acme.example", "too many failures from this address",
    )  # fmt: skip
