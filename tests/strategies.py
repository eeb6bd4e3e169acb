"""Forces a query strategy of the list engine, which small tables would not need."""

import pytest

from runai_access.lists import keyset, selection
from runai_access.lists.selection import Selection

# How the rows of a filter are found: their keys are read, the database sorts them, or the index of the
# list is scanned, in the last case with a limit that ends pages early.
STRATEGIES = ("keys", "sort", "scan", "incomplete")


def force(strategy: str, monkeypatch: pytest.MonkeyPatch, *, limit: int = 1_000) -> None:
    """Force one of STRATEGIES. `limit` is the most keys to read, or for "incomplete" rows to test."""
    for most in ("MAX_SORTED_CANDIDATES", "MAX_SCANNED_CANDIDATES"):
        monkeypatch.setattr(selection, most, limit if strategy == "keys" else -1)
    monkeypatch.setattr(keyset, "MAX_UNSORTED", -1 if strategy == "sort" else limit)
    if strategy in ("scan", "incomplete"):
        monkeypatch.setattr(Selection, "_is_scan", True)
    if strategy == "incomplete":
        monkeypatch.setattr(selection, "MAX_SORT_FALLBACK", 0)
        monkeypatch.setattr(selection, "SCAN_LIMIT", limit)
        monkeypatch.setattr(selection, "MAX_TESTED_VISIBLE", 0)
        monkeypatch.setattr(keyset, "MAX_SCANNED", limit)
