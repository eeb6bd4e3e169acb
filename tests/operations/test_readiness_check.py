"""The check behind /readyz goes on whatever happens to it."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from runai_access.server import readiness
from runai_access.server.readiness import AWAY, Readiness
from tests.operations.conftest import wait_until


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError, RuntimeError])
def test_an_error_of_any_kind_is_a_problem_until_it_is_over(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """A volume that is unmounted for a moment, for example."""
    outcomes: Iterator[object] = iter([error("gone"), ""])

    def look(self: Readiness) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    monkeypatch.setattr(Readiness, "_look", look)
    check = Readiness()
    seen = []
    for _ in range(2):
        check._check()
        seen.append(check.problem)
    assert seen == [AWAY, ""]


def test_an_answer_that_is_too_old_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Readiness, "_look", lambda self: "")
    check = Readiness()
    check.start()
    wait_until(lambda: check.problem == "", "the first check")
    check.stop()
    later = time.monotonic() + readiness.EVERY_SECONDS + readiness.STALE_SECONDS
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: later))
    assert check.problem == AWAY
