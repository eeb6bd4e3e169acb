"""Rewriting of Q conditions."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q


def changed(condition: Q, change: Callable[[Any], Any]) -> Q:
    """Return a copy of a condition, with `change` applied to each part: a pair or an expression."""
    children = [
        changed(child, change) if isinstance(child, Q) else change(child)
        for child in condition.children
    ]
    return Q(*children, _connector=condition.connector, _negated=condition.negated)


def renamed(condition: Q, old: str, new: str) -> Q:
    """Return a copy of a condition with the column `old` replaced by `new`."""

    def of_the_new(part: Any) -> Any:
        path, value = part
        column, *lookups = path.split("__")
        return "__".join([new if column == old else column, *lookups]), value

    return changed(condition, of_the_new)
