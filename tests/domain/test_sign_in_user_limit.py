"""Limit on failed sign-ins per user: new addresses must wait, known ones are not affected."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from runai_access.accounts import signin
from runai_access.accounts.models import SignInNetwork, User
from runai_access.accounts.signin import TooManyFailures, sign_in_for_token
from runai_access.audit.models import AuditEvent
from runai_access.errors import TooMany
from runai_access.security.models import AttemptCount
from tests import factories
from tests.domain.racing import together
from tests.domain.signing_in import (
    CAFE,
    HOME,
    NOON,
    PASSWORD,
    Clock,
    clock_at_noon,
    enter,
    fail,
    guess,
    is_locked,
    outcome,
    refusal,
    request_from,
    unlimited_capacity,
)

pytestmark = pytest.mark.django_db
ROSA, NOBODY = "rosa@acme.example", "nobody@acme.example"
either = pytest.mark.parametrize("email", [ROSA, NOBODY])


@pytest.fixture(autouse=True)
def rosa(db: None) -> User:
    return factories.person(ROSA, password=PASSWORD)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return clock_at_noon(monkeypatch)


@pytest.fixture
def few(settings: Settings) -> None:
    """After four failures of a user, only known addresses can continue."""
    settings.SIGN_IN_USER_FAILURES = 4


def fail_from_many_addresses(times: int, email: str = ROSA, first: int = 1) -> None:
    """Fail once from each of `times` addresses."""
    for number in range(first, first + times):
        fail(1, email, f"203.0.113.{number}")


# The limit.


@either
def test_after_20_failures_new_addresses_share_one_attempt_per_10_s(
    email: str, clock: Clock
) -> None:
    fail_from_many_addresses(20, email)
    fail(1, email, CAFE)
    for address in (CAFE, "203.0.113.99", "2001:db8::1"):
        refused = refusal(email, address)
        assert refused.seconds == 10
        assert str(refused) == "Too many failed attempts with this email."
    clock(timedelta(seconds=9))
    assert refusal(email, CAFE).seconds == 10
    clock(timedelta(seconds=1))
    fail(1, email, "203.0.113.99")
    assert is_locked(email, CAFE)


@either
def test_user_limit_ends_15_minutes_after_the_first_failure(
    few: None, email: str, clock: Clock
) -> None:
    fail_from_many_addresses(5, email)
    assert is_locked(email, CAFE)
    clock(timedelta(minutes=15))
    fail_from_many_addresses(4, email, first=50)


def test_known_address_keeps_its_five_failures(few: None, rosa: User) -> None:
    assert enter(address=HOME) == rosa
    fail_from_many_addresses(5)
    assert is_locked(address=CAFE)
    assert enter(address=HOME) == rosa
    fail(5, address=HOME)
    assert str(refusal(address=HOME)) == "Too many failed attempts."


def test_known_ipv6_addresses_are_64_bit_networks(few: None, rosa: User) -> None:
    assert enter(address="2001:db8::1") == rosa
    fail_from_many_addresses(5)
    assert enter(address="2001:db8::2") == rosa
    assert is_locked(address="2001:db8:0:1::1")


def test_known_addresses_are_per_user(few: None, rosa: User) -> None:
    factories.person("gus@acme.example", password=PASSWORD)
    assert enter("gus@acme.example", CAFE)
    fail_from_many_addresses(5)
    assert is_locked(address=CAFE)


def test_success_from_a_new_address_makes_it_known(few: None, rosa: User, clock: Clock) -> None:
    fail_from_many_addresses(5)
    with pytest.raises(TooManyFailures):
        enter(address=CAFE)
    clock(timedelta(seconds=10))
    assert enter(address=CAFE) == rosa
    for _ in range(3):
        assert enter(address=CAFE) == rosa


def test_failures_from_known_addresses_count(few: None, rosa: User) -> None:
    assert enter(address=HOME) == rosa
    fail(4, address=HOME)
    fail(1, address=CAFE)
    assert is_locked(address=CAFE)


def test_success_does_not_clear_failures_from_other_addresses(few: None, rosa: User) -> None:
    assert enter(address=HOME) == rosa
    fail_from_many_addresses(3)
    for _ in range(3):
        assert enter(address=HOME) == rosa
    fail_from_many_addresses(2, first=50)
    assert is_locked(address=CAFE)


def test_user_limit_does_not_affect_another_user(few: None) -> None:
    factories.person("gus@acme.example", password=PASSWORD)
    fail_from_many_addresses(5)
    assert is_locked(address=CAFE)
    assert enter("gus@acme.example", CAFE)


def test_known_address_still_has_its_own_limit(few: None, settings: Settings) -> None:
    settings.SIGN_IN_ADDRESS_FAILURES = 2
    enter(address=HOME)
    fail_from_many_addresses(5)
    fail(2, address=HOME)
    assert str(refusal(address=HOME)) == "Too many failed attempts from your network."


def test_token_requests_share_the_limit(few: None, rosa: User) -> None:
    fail_from_many_addresses(5)
    with pytest.raises(TooMany) as refused:
        sign_in_for_token(request_from(CAFE), email=ROSA, password=PASSWORD)
    assert refused.value.retry_after == 10
    assert str(refused.value) == "Too many failed attempts with this email."


# Responses do not reveal which emails exist.


def test_unknown_email_is_refused_like_a_known_one(few: None, clock: Clock) -> None:
    seen: dict[str, list[object]] = {}
    for email in (ROSA, NOBODY):
        seen[email] = []
        for number in range(12):
            address = f"198.51.100.{number}" if email == ROSA else f"192.0.2.{number + 100}"
            with CaptureQueriesContext(connection) as queries:
                refused = outcome(email, address)
            statements = [query["sql"].split()[0] for query in queries]
            seen[email].append((str(refused), getattr(refused, "seconds", 0), statements))
    assert seen[ROSA] == seen[NOBODY]


def test_refusals_write_no_count(few: None) -> None:
    fail_from_many_addresses(5)
    before = list(AttemptCount.objects.order_by("key").values_list("key", "count"))
    for number in range(30):
        assert is_locked(address=f"192.0.2.{number}")
    assert list(AttemptCount.objects.order_by("key").values_list("key", "count")) == before


@pytest.mark.django_db(transaction=True)
def test_one_of_parallel_guesses_from_new_addresses_is_allowed(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlimited_capacity(monkeypatch)
    fail_from_many_addresses(4)
    outcomes = together([partial(guess, ROSA, f"198.51.100.{number}") for number in range(12)])
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds.count("NoneType") == 1, outcomes
    assert kinds.count("TooManyFailures") == 11, outcomes


def test_refusal_is_audited_with_its_reason(few: None) -> None:
    fail_from_many_addresses(5)
    assert is_locked(address=CAFE)
    event = AuditEvent.objects.get(source_ip=CAFE)
    assert (event.subject_name, event.reason) == (
        ROSA, "too many failures of this user, from a new address",
    )  # fmt: skip


# Known networks.


def known() -> list[tuple[str, str]]:
    return list(SignInNetwork.objects.values_list("user__email", "network").order_by("pk"))


def test_only_a_success_makes_a_network_known() -> None:
    fail(1)
    assert known() == []
    enter()
    assert known() == [(ROSA, HOME)]


def test_token_request_makes_a_network_known(rosa: User) -> None:
    assert sign_in_for_token(request_from(CAFE), email=ROSA, password=PASSWORD) == rosa
    assert known() == [(ROSA, CAFE)]


def test_refused_temporary_password_does_not_make_a_network_known(rosa: User) -> None:
    User.objects.filter(pk=rosa.pk).update(temporary_password_until=NOON + timedelta(days=1))
    assert sign_in_for_token(request_from(CAFE), email=ROSA, password=PASSWORD) is None
    assert known() == []


def test_sign_in_without_an_address_stores_no_network() -> None:
    enter(address=None)
    assert known() == []


def test_network_is_written_once_a_day(clock: Clock) -> None:
    enter()
    for hours, expected in ((23, 0), (2, 25), (22, 25), (3, 50)):
        clock(timedelta(hours=hours))
        enter()
        assert SignInNetwork.objects.get().last_seen == NOON + timedelta(hours=expected)


def test_network_expires_after_90_days(few: None, rosa: User, clock: Clock) -> None:
    enter()
    clock(timedelta(days=89, hours=23))
    fail_from_many_addresses(5)
    assert enter() == rosa
    clock(timedelta(days=90))
    fail_from_many_addresses(5)
    assert is_locked(address=HOME)


def test_network_of_a_user_is_stored_once(rosa: User) -> None:
    row = {"user": rosa, "network": HOME, "last_seen": timezone.now()}
    SignInNetwork.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        SignInNetwork.objects.create(**row)


@pytest.mark.django_db(transaction=True)
def test_parallel_sign_ins_store_a_network_once() -> None:
    user = User.objects.get(email=ROSA)
    jobs = [lambda: SignInNetwork.objects.remember(user, HOME) for _ in range(8)]
    assert together(jobs) == [None] * 8
    assert known() == [(ROSA, HOME)]


@pytest.mark.parametrize("text", ["rosa\x00@acme.example", "\ud800", ""])
def test_limit_accepts_any_email(few: None, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(signin.auth, "authenticate", lambda *_, **__: None)
    fail_from_many_addresses(5, text)
    assert is_locked(text, CAFE)
