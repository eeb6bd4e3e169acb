"""Reads audit rows in bulk for the chain, even if they were damaged."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runai_access.audit.chain import (
    FIELDS,
    MISSING,
    content_of,
    digest_of,
    secret_keys,
    tag_of,
)
from runai_access.audit.models import AuditEvent

EventRow = Mapping[str, Any]


def rows_by_id(ids: Sequence[int]) -> dict[int, EventRow]:
    """Return the rows with these ascending ids, without those that are missing or unreadable.

    SQLite stores any text as a time or a UUID, so a manual change can leave an invalid value.
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
    """Yield each id with the correct tag of its row, or MISSING.

    The tag is recomputed, so a row that was changed before it was sealed still differs from its
    stored tag.
    """
    return ((id_, true_tag(rows[id_]) if id_ in rows else MISSING) for id_ in ids)


def true_tag(row: EventRow) -> str:
    """Return the correct tag of a row, or MISSING if its values are invalid.

    Several are correct if several secret keys are accepted; then it is the stored one, if that is.
    """
    try:
        tags = [tag_of(row, secret) for secret in secret_keys()]
    except (ValueError, TypeError, AttributeError):
        return MISSING
    return next((tag for tag in tags if tag == row["tag"]), tags[0])


def content_digest(ids: Sequence[int], rows: Mapping[int, EventRow]) -> str:
    """Return the digest of the contents of rows, which needs no key."""
    return digest_of((id_, _content(rows[id_]) if id_ in rows else MISSING) for id_ in ids)


def _content(row: EventRow) -> str:
    try:
        return content_of(row)
    except (ValueError, TypeError, AttributeError):
        return MISSING
