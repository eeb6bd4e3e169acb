"""Signing keys while the database does not answer: waits do not add up, and signing goes on."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from applications.oauth import keyring
from applications.oauth.keyring import KEYRING, Keyring

pytestmark = pytest.mark.django_db


class Outage:
    """Reads that wait until the test ends them, and then fail."""

    def __init__(self) -> None:
        self.reads = 0
        self.began, self.end = threading.Event(), threading.Event()

    def load(self) -> None:
        self.reads += 1
        self.began.set()
        assert self.end.wait(10)
        raise OperationalError("away")


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Outage:
    outage = Outage()
    monkeypatch.setattr(Keyring, "_load", lambda self: outage.load())
    return outage


def test_threads_that_waited_for_a_read_that_failed_fail_with_it(outage: Outage) -> None:
    ring = Keyring()
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(ring.public_key, "unknown") for _ in range(6)]
        assert outage.began.wait(10)
        while not ring._lock.locked():
            pass
        outage.end.set()
        errors = [type(one.exception(10)) for one in asked]
    assert errors == [OperationalError] * 6
    assert outage.reads < 6, "those that waited did not read again"


def test_a_known_key_is_given_without_a_wait_while_another_thread_reads(outage: Outage) -> None:
    ring = Keyring()
    ring._keys = {"known": keyring.Key("known", None, "public", None)}  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(ring.public_key, "known")
        assert outage.began.wait(10)
        assert ring.public_key("known") == "public"
        outage.end.set()
        assert isinstance(reading.exception(10), OperationalError)


def test_tokens_are_signed_with_the_keys_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    key = KEYRING.current()

    def away(self: Keyring) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(Keyring, "_load", away)
    later = time.monotonic() + 2 * keyring.RELOAD_SECONDS
    monkeypatch.setattr(keyring, "time", SimpleNamespace(monotonic=lambda: later))
    assert KEYRING.current() is key
    KEYRING.forget()
    with pytest.raises(OperationalError):
        KEYRING.current()
