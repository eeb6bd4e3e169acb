"""Sign-in, and the limit on failed sign-ins per user and address."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth import SESSION_KEY

from runai_access.accounts.backends import EmailBackend
from runai_access.accounts.hashers import BoundedArgon2Hasher
from runai_access.accounts.models import User
from runai_access.accounts.signin import REFUSED, TooManyFailures, sign_in
from runai_access.audit.models import AuditEvent
from runai_access.errors import Busy
from runai_access.security.models import AttemptCount
from runai_access.security.throttles import Limit, attempt, attempt_all, forget_expired, used_up
from tests import factories
from tests.domain.racing import together
from tests.domain.signing_in import (
    CAFE,
    HOME,
    PASSWORD,
    Clock,
    clock_at_noon,
    fail,
    guess,
    is_locked,
    request_from,
    unlimited_capacity,
)  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", password=PASSWORD)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the limits, at noon, and a function that moves it."""
    return clock_at_noon(monkeypatch)


# Signing in.


def test_sign_in_starts_a_new_session(rosa: User) -> None:
    request = request_from()
    request.session["before"] = "anonymous"
    request.session.save()
    before = request.session.session_key
    assert sign_in(request, email=" Rosa@ACME.example ", password=PASSWORD) == rosa
    assert request.session[SESSION_KEY] == str(rosa.pk)
    assert request.session.session_key != before
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.subject_type, event.subject_id, event.source_ip) == (
        "sign-in",
        "Succeeded",
        "user",
        rosa.pk,
        HOME,
    )


@pytest.mark.parametrize("case", ["wrong", "unknown", "disabled", "no password", "empty", "NUL"])
def test_refusals_are_equal_and_cost_one_argon2_run(
    rosa: User, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Django CVE-2024-39329: timing revealed which users exist."""
    runs = []
    for name in ("encode", "verify"):
        real = getattr(BoundedArgon2Hasher, name)

        def counting(
            self: object,
            *args: object,
            real: Callable[..., object] = real,
            name: str = name,
            **kwargs: object,
        ) -> object:
            runs.append(name)
            return real(self, *args, **kwargs)

        monkeypatch.setattr(BoundedArgon2Hasher, name, counting)
    email, password = "rosa@acme.example", PASSWORD
    match case:
        case "wrong":
            password = "a wrong guess"
        case "unknown":
            email = "nobody@acme.example"
        case "disabled":
            rosa.subject.enabled = False
            rosa.subject.save()
        case "no password":
            rosa.set_unusable_password()
            rosa.save()
        case "empty":
            password = ""
        case "NUL":
            email = "rosa\x00@acme.example"
    request = request_from()
    assert sign_in(request, email=email, password=password) is None
    assert SESSION_KEY not in request.session
    assert runs == ["verify"]
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.subject_type, event.source_ip) == (
        "sign-in",
        "Failed",
        "anonymous",
        HOME,
    )
    assert event.reason == REFUSED
    assert password not in repr(AuditEvent.objects.values()) or not password


def test_session_ends_when_the_user_is_disabled(rosa: User) -> None:
    backend = EmailBackend()
    assert backend.get_user(str(rosa.pk)) == rosa
    rosa.subject.enabled = False
    rosa.subject.save()
    assert backend.get_user(str(rosa.pk)) is None


# The limit.


def test_five_failures_block_even_the_right_password_for_15_minutes(
    rosa: User, clock: Clock
) -> None:
    fail(5)
    with pytest.raises(TooManyFailures) as refused:
        sign_in(request_from(), email=rosa.email, password=PASSWORD)
    assert refused.value.seconds == 15 * 60
    clock(timedelta(minutes=14, seconds=59))
    with pytest.raises(TooManyFailures) as refused:
        sign_in(request_from(), email=rosa.email, password=PASSWORD)
    assert refused.value.seconds == 1
    clock(timedelta(seconds=1))
    assert sign_in(request_from(), email=rosa.email, password=PASSWORD) == rosa


def test_five_guesses_are_allowed_again_after_the_wait(rosa: User, clock: Clock) -> None:
    fail(5)
    assert is_locked()
    clock(timedelta(minutes=15))
    fail(5)
    assert is_locked()


def test_refused_guesses_do_not_extend_the_lock(rosa: User, clock: Clock) -> None:
    fail(5)
    for _ in range(10):
        clock(timedelta(minutes=1))
        assert is_locked()
    clock(timedelta(minutes=5))
    assert not is_locked()


def test_failures_far_apart_do_not_add_up(rosa: User, clock: Clock) -> None:
    for _ in range(8):
        fail(1)
        clock(timedelta(minutes=15))
    assert not is_locked()


def test_lock_does_not_affect_another_address(rosa: User) -> None:
    fail(5, address=CAFE)
    assert is_locked(address=CAFE)
    assert sign_in(request_from(HOME), email=rosa.email, password=PASSWORD) == rosa
    assert is_locked(address=CAFE), "success at home does not unlock the café"


def test_lock_does_not_affect_another_user_at_the_address(rosa: User) -> None:
    factories.person("gus@acme.example", password=PASSWORD)
    fail(5)
    assert is_locked()
    assert sign_in(request_from(), email="gus@acme.example", password=PASSWORD)
    assert is_locked(), "another user's success does not unlock it"


def test_spellings_of_an_email_share_one_count(rosa: User) -> None:
    for email in (
        "rosa@acme.example",
        "ROSA@acme.example",
        " rosa@acme.example",
        "Rosa@ACME.EXAMPLE",
    ):
        fail(1, email)
    fail(1)
    assert is_locked("rosa@Acme.example ")


def test_unknown_users_are_limited_like_known_ones(db: None) -> None:
    fail(5, "nobody@acme.example")
    assert is_locked("nobody@acme.example")


def test_success_resets_the_count(rosa: User) -> None:
    for _ in range(3):
        fail(4)
        assert sign_in(request_from(), email=rosa.email, password=PASSWORD) == rosa


def test_refused_guess_checks_no_password(rosa: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(5)

    def unexpected(*_: object, **__: object) -> None:
        pytest.fail("a password was checked")

    monkeypatch.setattr(EmailBackend, "authenticate", unexpected)
    assert is_locked()


def test_lock_is_audited_once_a_minute_with_its_reason(rosa: User) -> None:
    fail(5)
    for _ in range(3):
        assert is_locked()
    reasons = AuditEvent.objects.filter(result="Failed").values_list("reason", flat=True)
    assert "too many failures" in reasons
    # Each reason once, or twice if the minute changed during the test.
    assert len(reasons) <= 4


@pytest.mark.django_db(transaction=True)
def test_of_twenty_parallel_guesses_five_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keycloak CVE-2024-4629: parallel guesses bypassed the limit."""
    unlimited_capacity(monkeypatch)
    factories.person("rosa@acme.example", password=PASSWORD)
    outcomes = together([guess for _ in range(20)])
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds.count("NoneType") == 5, outcomes
    assert kinds.count("TooManyFailures") == 15, outcomes
    # Threads that waited for the count read the clock afterwards, so no wait is longer.
    waits = [outcome.seconds for outcome in outcomes if isinstance(outcome, TooManyFailures)]
    assert max(waits) <= 15 * 60
    counts = AttemptCount.objects.values_list("count", flat=True)
    assert list(counts) == [5, 5, 5], "of the user at the address, of the address, of the user"


# Attempt counts.


def test_counts_are_distinct_for_each_part_of_the_key() -> None:
    for parts in (("a", "b"), ("ab",), ("a", "b", ""), ("", "a", "b"), ("b", "a")):
        assert not attempt(*parts, limit=1, seconds=60).refused
    assert attempt("a", "b", limit=1, seconds=60).refused


def test_fixed_count_expires_after_its_first_attempt(clock: Clock) -> None:
    for _ in range(3):
        assert not attempt("a", limit=3, seconds=60, extend=False).refused
        clock(timedelta(seconds=20))
    assert not attempt("a", limit=3, seconds=60, extend=False).refused


def test_giving_back_an_attempt_keeps_the_others() -> None:
    attempt("a", limit=2, seconds=60)
    attempt("a", limit=2, seconds=60).give_back()
    assert not attempt("a", limit=2, seconds=60).refused
    assert attempt("a", limit=2, seconds=60).refused


def test_attempt_counts_under_all_its_limits_or_none(clock: Clock) -> None:
    narrow, wide, new = (Limit((name,), n, 60) for name, n in (("a", 1), ("b", 3), ("c", 3)))
    assert not attempt_all(narrow, wide).refused
    clock(timedelta(seconds=10))
    refused = attempt_all(new, wide, narrow)
    assert refused.waits == {narrow: 50}
    assert refused.retry_after == 50
    assert sorted(AttemptCount.objects.values_list("count", flat=True)) == [1, 1]


def test_used_up_returns_each_limit_with_its_wait(clock: Clock) -> None:
    one, other = Limit(("a",), 1, 60), Limit(("b",), 1, 90)
    attempt_all(one, other)
    refused = attempt_all(one, other)
    assert (refused.waits, refused.retry_after) == ({one: 60, other: 90}, 90)


def test_success_clears_or_decrements_counts() -> None:
    cleared, kept = Limit(("a",), 5, 60, clears=True), Limit(("b",), 5, 60)
    attempt_all(cleared, kept)
    attempt_all(cleared, kept).succeed()
    assert [row.count for row in AttemptCount.objects.all()] == [1]
    assert not attempt_all(Limit(("a",), 1, 60)).refused


@pytest.mark.django_db(transaction=True)
def test_refused_concurrent_attempt_leaves_no_count() -> None:
    """The limit is reached between `used_up` and the attempt."""
    full, new = Limit(("a",), 1, 60), Limit(("b",), 1, 60)
    assert not used_up(full, new)
    attempt_all(full)
    assert attempt_all(new, full).refused
    assert AttemptCount.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_overlapping_limits_do_not_deadlock() -> None:
    """All attempts lock their counts in one order, so they can't deadlock."""
    limits = [Limit((name,), 1000, 60, clears=name == "f") for name in "abcdef"]

    def job(number: int) -> None:
        for turn in range(8):
            some = limits[(number + turn) % 3 :]
            taken = attempt_all(*(some if number % 2 else reversed(some)))
            assert not taken.refused
            (taken.succeed if turn % 2 else taken.give_back)()
            forget_expired()

    assert together([partial(job, number) for number in range(8)]) == [None] * 8
    assert set(AttemptCount.objects.values_list("count", flat=True)) <= {0}


def test_counts_contain_no_names(rosa: User) -> None:
    fail(1)
    stored = repr(AttemptCount.objects.values())
    assert "rosa" not in stored
    assert HOME not in stored


def test_only_expired_counts_are_deleted(clock: Clock) -> None:
    attempt("old", limit=1, seconds=60)
    clock(timedelta(seconds=61))
    attempt("new", limit=1, seconds=60)
    forget_expired()
    assert AttemptCount.objects.count() == 1
    assert attempt("new", limit=1, seconds=60).refused


def test_concurrent_success_does_not_break_an_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A successful sign-in deletes the row between its creation and its lock."""
    attempt("a", limit=5, seconds=60)
    real = AttemptCount.objects.bulk_create
    removed: list[object] = []

    def remove_once(*args: object, **kwargs: object) -> object:
        made = real(*args, **kwargs)
        if not removed:
            removed.append(AttemptCount.objects.all().delete())
        return made

    monkeypatch.setattr(AttemptCount.objects, "bulk_create", remove_once)
    assert not attempt("a", limit=5, seconds=60).refused


def test_invalid_unicode_is_counted() -> None:
    """JSON, and so a client ID, can contain a lone surrogate."""
    assert not attempt("sign-in", "\ud800", limit=1, seconds=60).refused
    assert attempt("sign-in", "\ud800", limit=1, seconds=60).refused


def test_ipv6_network_counts_as_one_address(rosa: User) -> None:
    for number in range(5):
        guess(address=f"2001:db8::{number}")
    assert is_locked(address="2001:db8::99")
    assert not is_locked(address="2001:db8:0:1::1")


def test_busy_guess_does_not_count(rosa: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*args: object, **kwargs: object) -> None:
        raise Busy("Too many sign-ins at the same time.", retry_after=5)

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "authenticate", busy)
        for _ in range(6):
            with pytest.raises(Busy):
                guess()
    assert not is_locked()
