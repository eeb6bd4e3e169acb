"""Reading bodies: JSON objects, of bounded size, without repeated keys."""

import codecs
import json
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from runai_access.api.errors import TooLarge, UnsupportedCoding


class JSONObjectParser(BaseParser):
    """Reads a JSON object, whatever the Content-Type claims when it is absent."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Return the object, an empty one for no body. A byte order mark is skipped (RFC 8259 §8.1).

        Raises ParseError, ValidationError, UnsupportedCoding and TooLarge.
        """
        body = read_body(stream).removeprefix(codecs.BOM_UTF8)
        if not body:
            return {}
        try:
            parsed = _decoder.decode(body.decode("utf-8"))
            if not isinstance(parsed, dict):
                raise ParseError("The body must be a JSON object.")
            if b"\\ud" in body or b"\\uD" in body:
                _require_whole_characters(parsed)
        except UnicodeDecodeError:
            raise ParseError("The body must be UTF-8.") from None
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body must be JSON: {str(error)[:200]}") from None
        return parsed


def read_body(stream: Any) -> bytes:
    """Return the whole body.

    Raises UnsupportedCoding for a compressed body, TooLarge without reading more than is allowed, and
    ParseError where it ends before the length that was announced: what is left of it was never meant
    (RFC 9112 §8).
    """
    headers = getattr(stream, "META", {})
    coding = headers.get("HTTP_CONTENT_ENCODING", "").strip()
    if coding and coding.lower() != "identity":
        raise UnsupportedCoding(
            f"The body must not be compressed: {coding[:80]!r} is not supported."
        )
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge
    announced = headers.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and len(body) < int(announced):
        raise ParseError("The body ends before its length.")
    return body


def _require_whole_characters(parsed: dict[str, Any]) -> None:
    """Refuse escapes that stand for half of a surrogate pair (RFC 8259 §8.2).

    No database could store one, and no answer could repeat it.
    """
    for name, value in parsed.items():
        if not _is_whole(name):
            raise ParseError("The name of a member must not hold half a character.")
        if not _is_whole(value):
            raise ValidationError({name: ["Must not hold half a character."]})


def _is_whole(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise ValueError("a key stands in it twice")
    return parsed


def _no_number(name: str) -> None:
    # Python's own reader takes NaN and Infinity (RFC 8259 §6 does not).
    raise ValueError(f"{name} is no number")


_decoder = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_number)
