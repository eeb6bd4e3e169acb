"""The keyring in a database outage: waits do not add up, and signing continues."""

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
    """Loads that block until the test ends them, and then fail."""

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


def test_waiting_threads_fail_with_a_failed_load(outage: Outage) -> None:
    ring = Keyring()
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(ring.public_key, "unknown") for _ in range(6)]
        assert outage.began.wait(10)
        while not ring._lock.locked():
            pass
        outage.end.set()
        errors = [type(one.exception(10)) for one in asked]
    assert errors == [OperationalError] * 6
    assert outage.reads < 6, "waiting threads did not load again"


def test_cached_key_is_available_while_another_thread_loads(outage: Outage) -> None:
    ring = Keyring()
    ring._keys = {"known": keyring.Key("known", None, "public", None)}  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(ring.public_key, "known")
        assert outage.began.wait(10)
        assert ring.public_key("known") == "public"
        outage.end.set()
        assert isinstance(reading.exception(10), OperationalError)


def test_tokens_are_signed_with_cached_keys(monkeypatch: pytest.MonkeyPatch) -> None:
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
