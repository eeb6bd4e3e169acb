"""Signing in from an address, without a page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Semaphore
from types import SimpleNamespace

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from runai_access.accounts import models
from runai_access.accounts.models import User
from runai_access.accounts.signin import TooManyFailures, sign_in
from runai_access.audit.recorder import Origin
from runai_access.security import hashing, throttles
from runai_access.security.hashing import HashKind

PASSWORD = "correct horse battery"
HOME, CAFE = "192.0.2.10", "198.51.100.20"

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)

Clock = Callable[[timedelta], None]


def clock_at_noon(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock that the limits see; return how to move it."""
    now = NOON
    for module in (throttles, models):
        monkeypatch.setattr(module, "timezone", SimpleNamespace(now=lambda: now))

    def move(by: timedelta) -> None:
        nonlocal now
        now += by

    return move


def unlimited_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any number of guesses wait for their hash, so that nothing but the limits refuses one."""
    monkeypatch.setattr(hashing, "GUESSES_WAITING", 1000)
    monkeypatch.setattr(hashing, "_guesses", {kind: Semaphore(1000) for kind in HashKind})


def request_from(address: str | None = HOME) -> HttpRequest:
    """Return a request of nobody from `address`."""
    request = RequestFactory().post("/sign-in/", REMOTE_ADDR=address or "")
    request.origin = Origin(address)
    request.session = SessionStore()
    return request


def enter(email: str = "rosa@acme.example", address: str | None = HOME) -> User | None:
    """Sign in with the right password."""
    return sign_in(request_from(address), email=email, password=PASSWORD)


def guess(email: str = "rosa@acme.example", address: str | None = HOME) -> User | None:
    """Sign in with a wrong password."""
    return sign_in(request_from(address), email=email, password="a wrong guess")


def fail(times: int, email: str = "rosa@acme.example", address: str | None = HOME) -> None:
    """Fail so many times; each failure is let through."""
    for _ in range(times):
        assert guess(email, address) is None


def outcome(email: str = "rosa@acme.example", address: str | None = HOME) -> TooManyFailures | None:
    """Guess; return the refusal, or None where the password is checked."""
    try:
        guess(email, address)
    except TooManyFailures as refused:
        return refused
    return None


def refusal(email: str = "rosa@acme.example", address: str | None = HOME) -> TooManyFailures:
    """Guess, and return the refusal that is expected."""
    refused = outcome(email, address)
    assert refused is not None, "the guess was let through"
    return refused


def is_locked(email: str = "rosa@acme.example", address: str | None = HOME) -> bool:
    """Guess once; return whether that is refused."""
    return outcome(email, address) is not None
