"""Adds up the changes of the number of access rules."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby

from django.db import transaction

from accessrules.models import RuleCount
from runai_access.db.batches import ROWS_PER_BATCH


def add_up_rule_counts(should_continue: Callable[[], bool]) -> int:
    """Replace the rows of each role and scope by their sum, and return how many were replaced.

    Each batch reads the next rows of an index, so the time depends only on the number of rows.
    """
    replaced, role, scope = 0, 0, 0
    while should_continue():
        rows = RuleCount.objects.filter(role__gte=role).exclude(role=role, scope__lt=scope)
        batch = list(rows.order_by("role_id", "scope_id", "pk")[:ROWS_PER_BATCH])
        numbers = Counter(map(_role_and_scope, batch))
        if several := [row.pk for row in batch if numbers[_role_and_scope(row)] > 1]:
            replaced += _add_up(several)
        if len(batch) < ROWS_PER_BATCH:
            break
        role, scope = _role_and_scope(batch[-1])  # they can have more rows
    return replaced


def _role_and_scope(row: RuleCount) -> tuple[int, int]:
    return row.role_id, row.scope_id


@transaction.atomic
def _add_up(keys: Sequence[int]) -> int:
    """Add up these rows of roles and scopes, without those that another process has added up."""
    rows = RuleCount.objects.filter(pk__in=keys).order_by("role_id", "scope_id", "pk")
    found = list(rows.select_for_update())
    sums = {pair: sum(row.number for row in same) for pair, same in groupby(found, _role_and_scope)}
    RuleCount.objects.filter(pk__in=[row.pk for row in found]).delete()
    RuleCount.objects.bulk_create(
        RuleCount(role_id=role, scope_id=scope, number=number)
        for (role, scope), number in sums.items()
        if number
    )
    return len(found)
