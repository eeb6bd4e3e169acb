"""Helpers to sign in from an address, without a page."""

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
    """Stop the clock of the limits at noon; return a function that moves it."""
    now = NOON
    for module in (throttles, models):
        monkeypatch.setattr(module, "timezone", SimpleNamespace(now=lambda: now))

    def move(by: timedelta) -> None:
        nonlocal now
        now += by

    return move


def unlimited_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow any number of guesses to wait for a hash, so that only the limits refuse them."""
    monkeypatch.setattr(hashing, "GUESSES_WAITING", 1000)
    monkeypatch.setattr(hashing, "_guesses", {kind: Semaphore(1000) for kind in HashKind})


def request_from(address: str | None = HOME) -> HttpRequest:
    """Return an anonymous request from `address`."""
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
    """Fail this many times; each guess is allowed."""
    for _ in range(times):
        assert guess(email, address) is None


def outcome(email: str = "rosa@acme.example", address: str | None = HOME) -> TooManyFailures | None:
    """Guess; return the refusal, or None if the password was checked."""
    try:
        guess(email, address)
    except TooManyFailures as refused:
        return refused
    return None


def refusal(email: str = "rosa@acme.example", address: str | None = HOME) -> TooManyFailures:
    """Guess; return the refusal. Fails if the guess is allowed."""
    refused = outcome(email, address)
    assert refused is not None, "the guess was allowed"
    return refused


def is_locked(email: str = "rosa@acme.example", address: str | None = HOME) -> bool:
    """Guess once; return whether the limits refuse it."""
    return outcome(email, address) is not None
