"""Many access rules at once: each an action and a transaction of its own, and told by itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Generic, TypeVar

from django.http import HttpRequest

from accessrules.actions.rules import create_access_rule
from accessrules.authorization.callers import Caller
from accessrules.authorization.denials import record_denial
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.errors import Conflict, Denied, DomainError, NotFound
from runai_access.ui.reports import ResultRow

MAX_SUBJECTS = MAX_SCOPES = 10
MAX_DELETIONS = 1_000

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """What came of one of several: what its action made of it, or why it was refused."""

    wanted: T
    made: R | None = None
    refusal: DomainError | None = None


def run_bulk(
    request: HttpRequest, wanted: Iterable[T], act: Callable[[T], R]
) -> list[Outcome[T, R]]:
    """Act on one after the other; what is refused for one is done for the others.

    Refusals that the domain foresees are told, and denials are recorded; anything else is raised.
    """
    outcomes: list[Outcome[T, R]] = []
    for one in wanted:
        try:
            outcomes.append(Outcome(one, made=act(one)))
        except (Conflict, NotFound) as refusal:
            outcomes.append(Outcome(one, refusal=refusal))
        except Denied as denied:
            record_denial(request, denied)
            outcomes.append(Outcome(one, refusal=denied))
    return outcomes


def line_of(name: str, outcome: Outcome[T, R], done: str) -> ResultRow:
    """Return the line of a report: `done` says what came of it where it was not refused."""
    if outcome.refusal is None:
        return ResultRow(name, done)
    is_gone = isinstance(outcome.refusal, NotFound)
    return ResultRow(name, "gone already" if is_gone else str(outcome.refusal), went_well=False)


def missing_rows(count: int, noun: str) -> list[ResultRow]:
    """Return the line for those that were gone when it began, if there are any."""
    words = f"{noun} is" if count == 1 else f"{noun}s are"
    return (
        [ResultRow(f"{count} {words} gone", "deleted meanwhile", went_well=False)] if count else []
    )


def create_access_rules(
    request: HttpRequest,
    *,
    caller: Caller,
    subjects: list[Subject],
    role: Role,
    scopes: list[Scope],
) -> list[Outcome[tuple[Subject, Scope], AccessRule]]:
    """Grant one role to every subject in every scope."""
    return run_bulk(
        request,
        product(subjects, scopes),
        lambda pair: create_access_rule(caller=caller, subject=pair[0], role=role, scope=pair[1]),
    )
