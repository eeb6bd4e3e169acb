"""Argon2id for client secrets and passwords, with a queue that bounds memory and CPU per process.

The cost is the minimum of the OWASP password storage guidance (19 MiB, two passes, one lane). Users'
passwords need it. Client secrets have 256 random bits, so for them it only guards against a weak
random source.
"""

import os
import secrets
import sys
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from threading import BoundedSemaphore, Event, Lock
from typing import TypeVar

from argon2 import DEFAULT_HASH_LENGTH, DEFAULT_RANDOM_SALT_LENGTH, PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from django.conf import settings

from runai_access.errors import Busy
from runai_access.measurements import ARGON2_REFUSED, ARGON2_SECONDS, ARGON2_WAITING

T = TypeVar("T")

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
# One hash runs at a time, and four guesses of each kind can wait, fewer if a worker has less than
# twelve threads: guesses always leave two threads for other requests.
GUESSES_WAITING = min(4, settings.THREADS // 2 - 2)
# Guesses of one kind that are being counted in the database, waiting or being hashed.
MAX_CONCURRENT_GUESSES = GUESSES_WAITING + 1
# A hash runs for about 30 ms, so if a guess waits for seconds, the machine is overloaded.
GUESS_SECONDS = 3
PATIENT_SECONDS = 10
RETRY_SECONDS = 2
# Added to the niceness of the server: while pages are busy, a hash gets a tenth of a core.
NICENESS = 10

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)


class HashKind(Enum):
    """What is hashed. Each kind has a separate queue, so a flood of one does not block the other."""

    PASSWORD = "password"  # noqa: S105  # a kind of hash, not a password
    CLIENT_SECRET = "client secret"  # noqa: S105


@dataclass(frozen=True, eq=False)
class _Waiter:
    """A thread in the queue; `turn` is set when it can start to hash."""

    is_patient: bool
    turn: Event


class HashingQueue:
    """Lets one thread hash at a time, and alternates between the kinds while both have waiters.

    A thread that finishes hands over directly to the next one, so no other thread can jump the queue.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_taken = False
        self._served = HashKind.PASSWORD
        self._waiting: dict[HashKind, deque[_Waiter]] = {kind: deque() for kind in HashKind}

    @contextmanager
    def slot(self, kind: HashKind, *, is_patient: bool = False) -> Iterator[None]:
        """Hold the process's only slot for an Argon2 run.

        Raises Busy immediately if GUESSES_WAITING guesses of this kind are waiting; a patient caller
        queues behind them instead. Raises Busy if the slot does not become free in time.
        """
        self._take(kind, is_patient)
        try:
            yield
        finally:
            self._hand_over()

    def _take(self, kind: HashKind, is_patient: bool) -> None:
        queue = self._waiting[kind]
        with self._lock:
            if not self._is_taken:
                self._is_taken, self._served = True, kind
                return
            guesses = sum(not waiter.is_patient for waiter in queue)
            if not is_patient and guesses >= GUESSES_WAITING:
                raise _busy(kind)
            waiter = _Waiter(is_patient, Event())
            queue.append(waiter)
        ARGON2_WAITING.labels(kind.value).inc()
        try:
            waiter.turn.wait(PATIENT_SECONDS if is_patient else GUESS_SECONDS)
        finally:
            ARGON2_WAITING.labels(kind.value).dec()
            with self._lock:
                has_turn = waiter.turn.is_set()
                if not has_turn:
                    queue.remove(waiter)
        if not has_turn:
            raise _busy(kind)

    def _hand_over(self) -> None:
        with self._lock:
            others = [kind for kind in HashKind if kind is not self._served]
            for kind in (*others, self._served):
                if self._waiting[kind]:
                    self._served = kind
                    self._waiting[kind].popleft().turn.set()
                    return
            self._is_taken = False


def _lower_priority() -> None:
    # On Linux the priority is that of one thread; elsewhere it would be that of the whole process.
    if sys.platform == "linux":
        with suppress(OSError):  # if forbidden, hashes only use more CPU time
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_queue = HashingQueue()
# Guesses run in a low-priority thread. A priority can't be raised again, so other hashes have another.
_guess_thread = ThreadPoolExecutor(1, "guess", initializer=_lower_priority)
_patient_thread = ThreadPoolExecutor(1, "hash")
_guesses = {kind: BoundedSemaphore(MAX_CONCURRENT_GUESSES) for kind in HashKind}


@contextmanager
def guessing(kind: HashKind) -> Iterator[None]:
    """Hold one of MAX_CONCURRENT_GUESSES slots, from before a guess is counted until it is checked.

    Raises Busy immediately if no slot is free, so that a flood does not wait for the database either.
    """
    if not _guesses[kind].acquire(blocking=False):
        raise _busy(kind)
    try:
        yield
    finally:
        _guesses[kind].release()


def hash_in_turn(kind: HashKind, run: Callable[[], T], *, is_patient: bool = False) -> T:
    """Wait for this caller's turn and return the result of `run`, an Argon2 run.

    One runs at a time, so memory stays bounded. Guesses come from unauthenticated clients: they run
    at low priority, so that pages and cached clients stay fast, and get Busy when the queue is full.
    Callers that create a secret or password are patient. Busy does not depend on the guess, so it
    reveals nothing.
    """
    thread = _patient_thread if is_patient else _guess_thread
    with ARGON2_SECONDS.labels(kind.value).time(), _queue.slot(kind, is_patient=is_patient):
        return thread.submit(run).result()


def hash_secret(secret: str) -> str:
    """Return the Argon2id hash of a new client secret in PHC string form."""
    return hash_in_turn(HashKind.CLIENT_SECRET, lambda: _hasher.hash(secret), is_patient=True)


def unmatched_hash() -> str:
    """Return a random hash in PHC string form, which no secret matches; verifying it takes as long."""

    def random_bytes(length: int) -> str:
        return b64encode(secrets.token_bytes(length)).decode().rstrip("=")

    salt, digest = random_bytes(DEFAULT_RANDOM_SALT_LENGTH), random_bytes(DEFAULT_HASH_LENGTH)
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"


def verify_secret(secret_hash: str, secret: str) -> bool:
    """Return whether `secret` matches the hash; an unreadable hash matches nothing."""
    try:
        return hash_in_turn(HashKind.CLIENT_SECRET, lambda: _hasher.verify(secret_hash, secret))
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def _busy(kind: HashKind) -> Busy:
    ARGON2_REFUSED.labels(kind.value).inc()
    return Busy("Too many sign-ins at the same time.", retry_after=RETRY_SECONDS)
