"""Rows of the record as the chain sees them: read in bulk, and whatever state they are in."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runai_access.audit.chain import FIELDS, MISSING, tag_of
from runai_access.audit.models import AuditEvent

EventRow = Mapping[str, Any]


def rows_by_id(ids: Sequence[int]) -> dict[int, EventRow]:
    """Return the rows of ascending ids, without those that are not there or can't be read.

    SQLite takes any text for a time or a UUID, so somebody may have left what is none.
    """
    if not ids:
        return {}
    is_dense = ids[-1] - ids[0] == len(ids) - 1
    wanted = {"pk__range": (ids[0], ids[-1])} if is_dense else {"pk__in": ids}
    try:
        found = list(AuditEvent.objects.filter(**wanted).values("id", "tag", *FIELDS))
    except ValueError:
        middle = len(ids) // 2
        return {**rows_by_id(ids[:middle]), **rows_by_id(ids[middle:])} if middle else {}
    return {row["id"]: row for row in found if isinstance(row["time"], datetime)}


def tags_of(ids: Sequence[int], rows: Mapping[int, EventRow]) -> Iterator[tuple[int, str]]:
    """Yield each id with the tag that its row ought to have.

    It is made anew, so what somebody changed before it was sealed stays at odds with its own tag. A
    row that is gone is named as well.
    """
    return ((id_, true_tag(rows[id_]) if id_ in rows else MISSING) for id_ in ids)


def true_tag(row: EventRow) -> str:
    """Return the tag that a row ought to have; nobody's for one that can't be read as ours."""
    try:
        return tag_of(row)
    except (ValueError, TypeError, AttributeError):
        return MISSING
