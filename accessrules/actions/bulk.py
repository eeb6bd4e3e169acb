"""Bulk operations: each item has its own outcome."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from django.http import HttpRequest

from accessrules.authorization.callers import record_denial
from runai_access.errors import Denied, Refusal, attempt

MAX_SUBJECTS = MAX_SCOPES = 10
MAX_DELETIONS = 1_000
# Items in one transaction. On SQLite it blocks all other writes.
BATCH_SIZE = 100

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """The outcome for one item of a bulk operation: the result of its action, or the refusal."""

    wanted: T
    made: R | None = None
    refusal: Refusal | None = None


def run_bulk(
    request: HttpRequest, wanted: Iterable[T], act: Callable[[T], R]
) -> list[Outcome[T, R]]:
    """Run `act` on each item and collect the outcomes. A refused item does not stop the rest.

    Denials are also audited; errors that are not refusals propagate.
    """
    return run_in_batches(request, wanted, lambda items: [attempt(act, items[0])], size=1)


def run_in_batches(
    request: HttpRequest,
    wanted: Iterable[T],
    act: Callable[[Sequence[T]], Sequence[R | Refusal]],
    *,
    size: int | None = None,
) -> list[Outcome[T, R]]:
    """Run `act` on batches and collect the outcome of each item, as `run_bulk` does.

    `act` returns the result or the refusal of each item. If it raises a refusal, that is of all items.
    """
    items, outcomes = iter(wanted), list[Outcome[T, R]]()
    while batch := list(islice(items, size or BATCH_SIZE)):
        results = attempt(act, batch)
        if isinstance(results, Refusal):
            results = [results] * len(batch)
        for item, result in zip(batch, results, strict=True):
            if isinstance(result, Denied):
                record_denial(request, result)
            outcomes.append(
                Outcome(item, refusal=result)
                if isinstance(result, Refusal)
                else Outcome(item, made=result)
            )
    return outcomes


def act_on_found(
    wanted: Iterable[T],
    find: Callable[[T], S],
    act: Callable[[Sequence[S]], Sequence[R | Refusal]],
) -> list[R | Refusal]:
    """Run `act` on what `find` returns for each item; return each result, or the refusal of either."""
    found = [attempt(find, item) for item in wanted]
    results = iter(act([item for item in found if not isinstance(item, Refusal)]))
    return [item if isinstance(item, Refusal) else next(results) for item in found]
