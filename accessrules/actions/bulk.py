"""Many access rules at once: each an action and a transaction of its own, and told by itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
