"""Parses request bodies: JSON objects of limited size, without duplicate keys."""

import codecs
import json
from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser


class TooLarge(APIException):
    """The request body exceeds the size limit."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request body must be at most 1 MiB."


class UnsupportedCoding(APIException):
    """The request body has a content coding such as gzip (RFC 9110 §8.4)."""

    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE


class JSONObjectParser(BaseParser):
    """Parses a JSON object, also without a Content-Type."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Return the object; empty for an empty body. Skips a byte order mark (RFC 8259 §8.1).

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
                _refuse_lone_surrogates(parsed)
        except UnicodeDecodeError:
            raise ParseError("The body must be UTF-8.") from None
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body must be JSON: {str(error)[:200]}") from None
        return parsed


def read_body(stream: Any) -> bytes:
    """Return the body.

    Raises UnsupportedCoding for a compressed body, TooLarge after reading up to the size limit, and
    ParseError for a truncated body (RFC 9112 §8).
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
    declared = headers.get("CONTENT_LENGTH") or "0"
    if declared.isdecimal() and len(body) < int(declared):
        raise ParseError("The body is shorter than its Content-Length.")
    return body


def _refuse_lone_surrogates(parsed: dict[str, Any]) -> None:
    """Raise an error for lone surrogates (RFC 8259 §8.2): no database or response can encode them."""
    for name, value in parsed.items():
        if not _is_encodable(name):
            raise ParseError("A member name contains half of a surrogate pair.")
        if not _is_encodable(value):
            raise ValidationError({name: ["Contains half of a surrogate pair."]})


def _is_encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) != len(pairs):
        raise ValueError("an object has a duplicate key")
    return parsed


def _refuse_constant(name: str) -> None:
    # Python's parser accepts NaN and Infinity, which are not JSON (RFC 8259 §6).
    raise ValueError(f"{name} is not a JSON number")


_decoder = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
