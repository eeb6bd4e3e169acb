"""One Argon2 run at a time per process, shared fairly by passwords and client secrets."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password

from runai_access.errors import Busy
from runai_access.security import hashing
from runai_access.security.hashing import (
    GUESSES_WAITING,
    HashingQueue,
    HashKind,
    guessing,
    hash_secret,
    verify_secret,
)

pytestmark = [pytest.mark.full_hashing, pytest.mark.any_database]

PASSWORD, SECRET = HashKind.PASSWORD, HashKind.CLIENT_SECRET
OTHER = {PASSWORD: SECRET, SECRET: PASSWORD}
both_kinds = pytest.mark.parametrize("kind", HashKind)


class Waits:
    """Records when waits begin, so that a test knows that a thread is in the queue."""

    def __init__(self) -> None:
        self._begun = threading.Semaphore(0)
        self.timeouts: list[float | None] = []

    def begin(self, timeout: float | None) -> None:
        self.timeouts.append(timeout)
        self._begun.release()

    def expect(self, number: int = 1) -> None:
        for _ in range(number):
            assert self._begun.acquire(timeout=20), "no thread is waiting"


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Report each wait, and make it unlimited unless the timeout is zero."""
    waits = Waits()

    class ReportedEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.begin(timeout)
            return super().wait(20 if timeout else 0)

    monkeypatch.setattr(hashing, "Event", ReportedEvent)
    return waits


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> HashingQueue:
    """An empty queue for this test, also used by the module."""
    queue = HashingQueue()
    monkeypatch.setattr(hashing, "_queue", queue)
    return queue


class Jobs:
    """Runs jobs in threads and collects their results."""

    def __init__(self, queue: HashingQueue) -> None:
        self._queue = queue
        self._threads: list[threading.Thread] = []
        self._ended = threading.Semaphore(0)
        self.served: list[str] = []
        self.outcomes: list[object] = []

    def start(self, job: Callable[[], object]) -> None:
        def run() -> None:
            try:
                self.outcomes.append(job())
            except Busy as busy:
                self.outcomes.append(busy)
            self._ended.release()

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def enter(self, name: str, kind: HashKind, *, is_patient: bool = False) -> None:
        """Start a thread that takes a turn, notes its name and leaves."""

        def job() -> None:
            with self._queue.slot(kind, is_patient=is_patient):
                self.served.append(name)

        self.start(job)

    def expect_ends(self, number: int) -> None:
        for _ in range(number):
            assert self._ended.acquire(timeout=20), "a thread hangs"

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(timeout=20)
            assert not thread.is_alive(), "a thread hangs"


@pytest.fixture
def jobs(queue: HashingQueue) -> Jobs:
    return Jobs(queue)


@contextmanager
def taken(queue: HashingQueue, kind: HashKind = PASSWORD) -> Iterator[None]:
    """Hold the turn, like a running hash."""
    with queue.slot(kind):
        yield


@both_kinds
def test_hash_runs_immediately_in_an_idle_queue(
    queue: HashingQueue, waits: Waits, kind: HashKind
) -> None:
    for is_patient in (False, True):
        with queue.slot(kind, is_patient=is_patient):
            pass
    assert waits.timeouts == []


def test_one_hash_runs_at_a_time(queue: HashingQueue, jobs: Jobs) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def job() -> None:
        nonlocal running, most
        with queue.slot(SECRET, is_patient=True):
            with lock:
                running += 1
                most = max(most, running)
            hashing._hasher.hash("x")
            with lock:
                running -= 1

    for _ in range(12):
        jobs.start(job)
    jobs.finish()
    assert most == 1
    assert jobs.outcomes == [None] * 12


@both_kinds
def test_guess_is_refused_immediately_when_the_queue_is_full(
    queue: HashingQueue, jobs: Jobs, waits: Waits, kind: HashKind
) -> None:
    with taken(queue):
        names = [f"guess {number}" for number in range(GUESSES_WAITING)]
        for name in names:
            jobs.enter(name, kind)
        waits.expect(GUESSES_WAITING)
        with pytest.raises(Busy) as busy, queue.slot(kind):
            pytest.fail("one guess too many was accepted")
        assert busy.value.retry_after in (1, 2)
        assert len(waits.timeouts) == GUESSES_WAITING, "the last one was refused without waiting"
    jobs.finish()
    assert sorted(jobs.served) == names


@both_kinds
def test_full_queue_of_one_kind_does_not_affect_the_other(
    queue: HashingQueue, jobs: Jobs, waits: Waits, kind: HashKind
) -> None:
    with taken(queue):
        for number in range(GUESSES_WAITING):
            jobs.enter(f"flood {number}", kind)
        waits.expect(GUESSES_WAITING)
        jobs.enter("other", OTHER[kind])
        waits.expect()
    jobs.finish()
    assert "other" in jobs.served


def test_guesses_leave_threads_for_other_requests(
    queue: HashingQueue, jobs: Jobs, waits: Waits
) -> None:
    """One runs, and a limited number of each kind waits."""
    held = 2 * GUESSES_WAITING
    assert 2 * hashing.MAX_CONCURRENT_GUESSES < settings.THREADS
    with taken(queue):
        for kind in HashKind:
            for number in range(20):
                jobs.enter(f"{kind} {number}", kind)
        jobs.expect_ends(40 - held)
        assert all(isinstance(outcome, Busy) for outcome in jobs.outcomes)
        waits.expect(held)
    jobs.finish()
    assert len(jobs.served) == held


@both_kinds
def test_kinds_alternate_while_both_wait(
    queue: HashingQueue, jobs: Jobs, waits: Waits, kind: HashKind
) -> None:
    with taken(queue, kind):
        for name, its_kind in [
            ("a1", kind), ("a2", kind), ("b1", OTHER[kind]), ("b2", OTHER[kind]),
        ]:  # fmt: skip
            jobs.enter(name, its_kind)
            waits.expect()
    jobs.finish()
    assert jobs.served == ["b1", "a1", "b2", "a2"]


def test_each_kind_is_served_in_order_of_arrival(
    queue: HashingQueue, jobs: Jobs, waits: Waits
) -> None:
    with taken(queue):
        for number in range(5):
            jobs.enter(str(number), SECRET, is_patient=True)
            waits.expect()
    jobs.finish()
    assert jobs.served == list("01234")


def test_guess_that_times_out_leaves_the_queue(
    queue: HashingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "GUESS_SECONDS", 0)
    with taken(queue):
        for _ in range(5):
            with pytest.raises(Busy) as busy, queue.slot(SECRET):
                pytest.fail("two hashes run")
            assert busy.value.retry_after in (1, 2)
    with queue.slot(SECRET):
        pass


def test_new_secrets_wait_longer_than_guesses(
    queue: HashingQueue, jobs: Jobs, waits: Waits
) -> None:
    with taken(queue):
        jobs.enter("guess", SECRET)
        waits.expect()
        jobs.enter("new", SECRET, is_patient=True)
        waits.expect()
    jobs.finish()
    assert waits.timeouts == [hashing.GUESS_SECONDS, hashing.PATIENT_SECONDS] == [3, 10]


def test_new_secret_waits_even_if_the_queue_is_full(
    queue: HashingQueue, jobs: Jobs, waits: Waits
) -> None:
    with taken(queue):
        for number in range(2):
            jobs.enter(f"guess {number}", SECRET)
        waits.expect(2)
        for number in range(3):
            jobs.enter(f"new {number}", SECRET, is_patient=True)
        waits.expect(3)
    jobs.finish()
    assert len(jobs.served) == 5
    assert jobs.outcomes == [None] * 5


def test_waiting_new_secrets_leave_room_for_guesses(
    queue: HashingQueue, jobs: Jobs, waits: Waits
) -> None:
    with taken(queue):
        for number in range(3):
            jobs.enter(f"new {number}", PASSWORD, is_patient=True)
        waits.expect(3)
        for number in range(2):
            jobs.enter(f"guess {number}", PASSWORD)
        waits.expect(2)
    jobs.finish()
    assert len(jobs.served) == 5


def test_failed_hash_releases_its_turn(queue: HashingQueue, jobs: Jobs, waits: Waits) -> None:
    with pytest.raises(RuntimeError), taken(queue):
        jobs.enter("next", SECRET)
        waits.expect()
        raise RuntimeError
    jobs.finish()
    assert jobs.served == ["next"]


def test_turn_granted_at_the_timeout_is_used(
    queue: HashingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn is handed over just after the timeout: it must not be lost."""
    holder = queue.slot(PASSWORD)
    holder.__enter__()

    class LateEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            holder.__exit__(None, None, None)
            return False

    monkeypatch.setattr(hashing, "Event", LateEvent)
    with queue.slot(SECRET):
        pass
    with queue.slot(SECRET):
        pass


# Slots for guesses, taken before they are counted.


@both_kinds
def test_guesses_of_each_kind_are_limited(kind: HashKind) -> None:
    with ExitStack() as places:
        for _ in range(hashing.MAX_CONCURRENT_GUESSES):
            places.enter_context(guessing(kind))
        with pytest.raises(Busy) as busy, guessing(kind):
            pytest.fail("one guess too many was accepted")
        assert busy.value.retry_after in (1, 2)
        with guessing(OTHER[kind]):
            pass
    with guessing(kind):
        pass


@both_kinds
def test_failed_guess_releases_its_slot(kind: HashKind) -> None:
    for _ in range(5):
        with pytest.raises(RuntimeError), guessing(kind):
            raise RuntimeError


# Waiting.


def fill(jobs: Jobs, waits: Waits) -> None:
    """Fill the queue with guesses of both kinds."""
    for kind in HashKind:
        for number in range(GUESSES_WAITING):
            jobs.enter(f"{kind} {number}", kind)
    waits.expect(2 * GUESSES_WAITING)


def test_verifications_are_refused_while_the_queue_is_full(
    queue: HashingQueue, jobs: Jobs, waits: Waits
) -> None:
    secret_hash, password_hash = hash_secret("x"), make_password("x")
    with taken(queue):
        fill(jobs, waits)
        for check in (
            lambda: verify_secret(secret_hash, "x"),
            lambda: verify_secret("no hash", "x"),
            lambda: check_password("x", password_hash),
        ):
            with pytest.raises(Busy):
                check()
    jobs.finish()
    assert verify_secret(secret_hash, "x")
    assert check_password("x", password_hash)


@pytest.mark.parametrize("make", [hash_secret, make_password])
def test_new_secrets_are_hashed_while_guesses_wait(
    queue: HashingQueue, jobs: Jobs, waits: Waits, make: Callable[[str], str]
) -> None:
    with taken(queue):
        fill(jobs, waits)
        jobs.start(lambda: make("x"))
        waits.expect()
    jobs.finish()
    [created] = [outcome for outcome in jobs.outcomes if outcome is not None]
    assert "argon2id" in str(created)
