"""Adds up the changes of the number of access rules."""

from collections import Counter
from collections.abc import Callable

from django.db import transaction
from django.db.models import Count, Q

from accessrules.models import RuleCount
from runai_access.db.batches import ROWS_PER_BATCH

_PAIRS = 100


def add_up_rule_counts(should_continue: Callable[[], bool]) -> int:
    """Replace the rows of each role and scope by their sum, and return how many were replaced."""
    replaced = 0
    while should_continue():
        pairs = RuleCount.objects.values_list("role_id", "scope_id").annotate(rows=Count("pk"))
        several = list(pairs.filter(rows__gt=1).order_by("role_id", "scope_id")[:_PAIRS])
        if not several:
            break
        found = Q()
        for role, scope, _ in several:
            found |= Q(role=role, scope=scope)
        with transaction.atomic():
            replaced += _add_up(found)
    return replaced


def _add_up(condition: Q) -> int:
    """Add up rows; those that another process adds up now are not found."""
    numbers = Counter[tuple[int, int]]()
    rows = RuleCount.objects.filter(condition).order_by("role_id", "scope_id", "pk")
    keys = []
    for row in rows.select_for_update()[:ROWS_PER_BATCH]:
        numbers[row.role_id, row.scope_id] += row.number
        keys.append(row.pk)
    RuleCount.objects.filter(pk__in=keys).delete()
    RuleCount.objects.bulk_create(
        RuleCount(role_id=role, scope_id=scope, number=number)
        for (role, scope), number in numbers.items()
        if number
    )
    return len(keys)
