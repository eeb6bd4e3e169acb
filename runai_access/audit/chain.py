"""Authentication of audit rows, seals and archives: their canonical bytes and their HMACs.

All are HMAC-SHA256 in hexadecimal, with a key that HKDF derives from the secret key. An attacker who
can write to the database but does not know the key can neither forge a row nor repair the chain. The
input is a word for the type, a line feed, and a JSON object with sorted keys, no whitespace, and ASCII
only (other characters as \\uXXXX).

- A row's `tag`: "event", and the members FIELDS under the names in MEMBER_NAMES. Times are ISO 8601 in
  UTC with microseconds, UUIDs have hyphens, an address is its bytes in hexadecimal. A missing
  value is null. The tag does not cover the row's id, because the database assigns it later; the seal
  covers both.
- A seal's `digest`: SHA-256 of a line "ID:TAG" for each of its rows in order of id, or "ID:missing" for
  a missing row.
- A seal's `hash`: "seal", and the members SEAL_FIELDS; `previous` is the hash of the previous seal,
  empty for the first.
- An archive's `hash`: "archive", and the members ARCHIVE_FIELDS.
- A countersignature, which replaces the former secret key by the current one: "countersigned seal", the
  members SEAL_FIELDS, `hash`, and `rows`, a SHA-256 of a line "ID:" with the SHA-256 of the JSON
  object of each row; or "countersigned archive", ARCHIVE_FIELDS and `hash`.

`RUNAI_ACCESS_SECRET_KEY_PREVIOUS` is accepted wherever the current key is.
"""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

FIELDS = (
    "time", "subject_type", "subject_id", "subject_name", "action", "entity_type", "entity_id",
    "entity_name", "result", "reason", "changes", "source_ip", "http_method", "path", "request_id",
    "deduplication_key",
)  # fmt: skip
SEAL_FIELDS = ("number", "sealed_at", "newest", "event_ids", "previous", "digest")
MEMBER_NAMES = {"deduplication_key": "once_key"}
"""The names of members that differ from those of their columns. Tags and archived files have them, so
they never change."""
ARCHIVE_FIELDS = (
    "first_seal", "last_seal", "events", "head", "file_name", "file_sha256", "made_at",
)  # fmt: skip
MISSING = "missing"


def plain(row: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return these members of a row as JSON values, the same on every database."""
    return {MEMBER_NAMES.get(name, name): _plain(name, row[name]) for name in fields}


def columns_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a row in a file under the names of their columns."""
    column_names = {member: column for column, member in MEMBER_NAMES.items()}
    return {column_names.get(name, name): value for name, value in members.items()}


def tag_of(row: Mapping[str, Any], secret: str = "") -> str:
    """Return the tag of a row of the audit log, with the current secret key by default."""
    return _hmac("event", plain(row, FIELDS), secret)


def content_of(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a row's canonical bytes, which needs no key."""
    return hashlib.sha256(_canonical("event", plain(row, FIELDS))).hexdigest()


def digest_of(tags: Iterable[tuple[int, str]]) -> str:
    """Return the digest of rows, given as pairs of id and tag in order of id."""
    digest = hashlib.sha256()
    for id_, tag in tags:
        digest.update(f"{id_}:{tag}\n".encode())
    return digest.hexdigest()


def seal_hash(seal: Mapping[str, Any], secret: str = "") -> str:
    """Return the hash of a seal."""
    return _hmac("seal", plain(seal, SEAL_FIELDS), secret)


def archive_hash(archive: Mapping[str, Any], secret: str = "") -> str:
    """Return the hash of an archive."""
    return _hmac("archive", plain(archive, ARCHIVE_FIELDS), secret)


def seal_countersignature(seal: Mapping[str, Any], rows: str, secret: str = "") -> str:
    """Return the countersignature of a seal and of its rows, whose digest is `rows`."""
    members = {**plain(seal, SEAL_FIELDS), "hash": seal["hash"], "rows": rows}
    return _hmac("countersigned seal", members, secret)


def archive_countersignature(archive: Mapping[str, Any], secret: str = "") -> str:
    """Return the countersignature of an archive."""
    members = {**plain(archive, ARCHIVE_FIELDS), "hash": archive["hash"]}
    return _hmac("countersigned archive", members, secret)


def key_id(secret: str = "") -> str:
    """Return an identifier of the key, which reveals nothing about it."""
    return _hmac("key", {}, secret)[:16]


def secret_keys() -> list[str]:
    """Return the current secret key, and the others that are accepted."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def secret_key_of(key_id_: str | None) -> str | None:
    """Return the accepted secret key with this identifier, or None."""
    return next((secret for secret in secret_keys() if key_id(secret) == key_id_), None)


def ranges_of(ids: Iterable[int]) -> str:
    """Return ascending ids as ranges: "17-40,43"."""
    ordered = list(ids)
    starts = [0, *(index for index, (a, b) in enumerate(pairwise(ordered), 1) if b != a + 1)]
    ends = [*(start - 1 for start in starts[1:]), len(ordered) - 1]
    spans = ((ordered[start], ordered[end]) for start, end in zip(starts, ends, strict=True))
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in spans)


def spans_in(ranges: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last id of each range of `ranges_of`; raise ValueError for invalid text."""
    past = 0
    for text in ranges.split(","):
        first, _, last = text.partition("-")
        span = int(first), int(last or first)
        if span[0] <= past or span[1] < span[0]:
            raise ValueError(f"not ascending: {text!r}")
        past = span[1]
        yield span


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if value is not None and name in ("subject_id", "request_id"):
        return str(value if isinstance(value, UUID) else UUID(value))
    if value is not None and name == "source_ip":
        return ipaddress.ip_address(value).packed.hex()
    return value


def _hmac(type_: str, members: dict[str, Any], secret: str) -> str:
    key = _key(secret or settings.SECRET_KEY)
    return hmac.new(key, _canonical(type_, members), hashlib.sha256).hexdigest()


def _canonical(type_: str, members: dict[str, Any]) -> bytes:
    text = f"{type_}\n{json.dumps(members, sort_keys=True, separators=(',', ':'))}"
    return text.encode("ascii")


@cache
def _key(secret: str) -> bytes:
    # The label never changes: every tag and seal depends on it.
    return HKDF(hashes.SHA256(), length=32, salt=None, info=b"runai-access audit record").derive(
        secret.encode()
    )
