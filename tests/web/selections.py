"""Helpers for tests of the list engine: filtered applications, and the order of their plans."""

from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.http import QueryDict

from accessrules.authorization.authority import authority_of
from applications.filters import ApplicationFilterSet
from applications.models import Application
from runai_access.lists.selection import ListFilter, Selection
from tests import factories
from tests.plans import plan_of

# A query parameter of the list and its values.
FilterQuery = tuple[str, list[int]]


def names_of(selected: Selection) -> set[str]:
    """Return the names of the selected applications."""
    return set(selected.rows().values_list("subject__name", flat=True))


def filters_of(query: dict[str, Any]) -> list[ListFilter]:
    """Return the filters of these query parameters."""
    authority = authority_of(factories.system_person())
    asked = QueryDict(urlencode(query, doseq=True))
    filters = ApplicationFilterSet(asked, Application.objects.all(), context=authority)
    return list(filters.list_filters())


def selection_of(query: dict[str, Any]) -> Selection:
    """Return the applications that match these query parameters."""
    return Selection(Application.objects.all(), filters_of(query))


def is_read_in_order(sql: str, parameters: tuple[Any, ...]) -> bool:
    """Return whether the plan of a statement reads an index in order instead of sorting."""
    plan = plan_of(sql, parameters)
    if connection.vendor == "sqlite":
        return "TEMP B-TREE" not in plan
    return "Unique" in plan and "Sort" not in plan
