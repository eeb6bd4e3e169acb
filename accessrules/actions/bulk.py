"""Bulk operations: each item is its own action and transaction, with its own outcome."""

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
    """The outcome for one item of a bulk operation: the result of its action, or the refusal."""

    wanted: T
    made: R | None = None
    refusal: DomainError | None = None


def run_bulk(
    request: HttpRequest, wanted: Iterable[T], act: Callable[[T], R]
) -> list[Outcome[T, R]]:
    """Run `act` on each item and collect the outcomes. A refused item does not stop the rest.

    Domain errors become outcomes, denials are also audited, and anything else propagates.
    """
    outcomes: list[Outcome[T, R]] = []
    for item in wanted:
        try:
            outcomes.append(Outcome(item, made=act(item)))
        except (Conflict, NotFound) as refusal:
            outcomes.append(Outcome(item, refusal=refusal))
        except Denied as denied:
            record_denial(request, denied)
            outcomes.append(Outcome(item, refusal=denied))
    return outcomes


def line_of(name: str, outcome: Outcome[T, R], done: str) -> ResultRow:
    """Return the report row of one outcome: `done` if it succeeded, else the refusal."""
    if outcome.refusal is None:
        return ResultRow(name, done)
    is_deleted = isinstance(outcome.refusal, NotFound)
    reason = "already deleted" if is_deleted else str(outcome.refusal)
    return ResultRow(name, reason, went_well=False)


def missing_rows(count: int, noun: str) -> list[ResultRow]:
    """Return a report row for the selected items that no longer exist, if any."""
    if not count:
        return []
    items = noun if count == 1 else f"{noun}s"
    return [ResultRow(f"{count} {items} not found", "already deleted", went_well=False)]


def create_access_rules(
    request: HttpRequest,
    *,
    caller: Caller,
    subjects: list[Subject],
    role: Role,
    scopes: list[Scope],
) -> list[Outcome[tuple[Subject, Scope], AccessRule]]:
    """Grant one role to each subject in each scope."""
    return run_bulk(
        request,
        product(subjects, scopes),
        lambda pair: create_access_rule(caller=caller, subject=pair[0], role=role, scope=pair[1]),
    )
