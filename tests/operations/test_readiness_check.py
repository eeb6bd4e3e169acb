"""The check behind /readyz continues after any error."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from runai_access.server import readiness
from runai_access.server.readiness import AWAY, Readiness
from tests.operations.conftest import wait_until


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError, RuntimeError])
def test_any_error_is_a_problem_until_it_is_over(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """For example, a volume that is unmounted briefly."""
    outcomes: Iterator[object] = iter([error("gone"), ""])

    def find_problem(self: Readiness) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    monkeypatch.setattr(Readiness, "_find_problem", find_problem)
    check = Readiness()
    seen = []
    for _ in range(2):
        check._check()
        seen.append(check.problem)
    assert seen == [AWAY, ""]


def test_an_outdated_result_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Readiness, "_find_problem", lambda self: "")
    check = Readiness()
    check.start()
    wait_until(lambda: check.problem == "", "the first check")
    check.stop()
    later = time.monotonic() + readiness.EVERY_SECONDS + readiness.STALE_SECONDS
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: later))
    assert check.problem == AWAY
