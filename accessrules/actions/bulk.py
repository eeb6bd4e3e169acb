"""Bulk operations: each item is its own action and transaction, with its own outcome."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Generic, TypeVar

from django.http import HttpRequest

from accessrules.actions.rules import create_access_rule
from accessrules.authorization.callers import Caller, record_denial
from accessrules.models import AccessRule, Role, Scope, Subject
from runai_access.errors import Conflict, Denied, DomainError, NotFound

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


def create_access_rules(
    request: HttpRequest,
    *,
    caller: Caller,
    subjects: list[Subject],
    role: Role,
    scopes: list[Scope],
    expires_at: datetime | None = None,
) -> list[Outcome[tuple[Subject, Scope], AccessRule]]:
    """Grant one role to each subject in each scope."""
    return run_bulk(
        request,
        product(subjects, scopes),
        lambda pair: create_access_rule(
            caller=caller, subject=pair[0], role=role, scope=pair[1], expires_at=expires_at
        ),
    )
