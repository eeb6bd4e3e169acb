"""Conditions changed part by part."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q


def changed(condition: Q, change: Callable[[Any], Any]) -> Q:
    """Return the condition with each of its parts changed: a path with its value, or an expression."""
    children = [
        changed(child, change) if isinstance(child, Q) else change(child)
        for child in condition.children
    ]
    return Q(*children, _connector=condition.connector, _negated=condition.negated)


def renamed(condition: Q, old: str, new: str) -> Q:
    """Return the condition with what it says of the column `old` said of `new`."""

    def of_the_new(part: Any) -> Any:
        path, value = part
        column, *lookups = path.split("__")
        return "__".join([new if column == old else column, *lookups]), value

    return changed(condition, of_the_new)
