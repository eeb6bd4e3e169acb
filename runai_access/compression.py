"""Compression of answers with gzip.

An answer is compressed only where that is known to be safe: it is marked by `allow_compression`, or it
is a page that a GET shows. Client secrets, passwords and tokens are in no such answer: only a POST
shows them. Their answers are marked by `forbid_compression` besides.

BREACH: an attacker who can put text into an answer and watch its length could guess what else is in it.
So the length of every compressed answer varies at random, and Django masks the CSRF token of a page
differently each time.
"""

import io
import secrets
from collections.abc import Callable, Iterable, Iterator
from gzip import GzipFile
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

MIN_BYTES = 1024
# The quickest: it makes 2.6 kB of a list of 50 applications (14.4 kB) in 0.06 ms. Level 6 makes 2.3 kB
# in 0.11 ms.
LEVEL = 1
# Django's GZipMiddleware varies lengths by as much.
_MAX_RANDOM_BYTES = 100
_MARK = "may_compress"

Handler = Callable[[HttpRequest], HttpResponseBase]
_Response = TypeVar("_Response", bound=HttpResponseBase)


def allow_compression(response: _Response) -> _Response:
    """Mark an answer that holds no secret; return it."""
    setattr(response, _MARK, True)
    return response


def forbid_compression(response: _Response) -> _Response:
    """Mark an answer that shows a secret; return it."""
    setattr(response, _MARK, False)
    return response


class CompressionMiddleware:
    """Compresses answers of MIN_BYTES and more for clients that accept gzip."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not _can_compress(request, response):
            return response
        is_stream = response.streaming
        if not is_stream and len(response.content) < MIN_BYTES:  # type: ignore[attr-defined]  # no stream
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if accepts_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            _compress(response)
        return response


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether a client names gzip, and not with a weight of 0 (RFC 9110 §12.5.3)."""
    for entry in accept_encoding.lower().split(","):
        coding, _, weight = entry.replace(" ", "").partition(";")
        if coding == "gzip":
            return not weight.startswith("q=0") or weight.strip("q=0.") != ""
    return False


def _can_compress(request: HttpRequest, response: HttpResponseBase) -> bool:
    if response.has_header("Content-Encoding"):
        return False
    marked: bool | None = getattr(response, _MARK, None)
    if marked is not None:
        return marked
    is_shown_page = request.method in ("GET", "HEAD") and response.status_code == 200
    return is_shown_page and response.headers.get("Content-Type", "").startswith("text/html")


def _compress(response: Any) -> None:
    if response.streaming:
        response.streaming_content = _compressed(response.streaming_content)
        del response.headers["Content-Length"]
    else:
        response.content = b"".join(_compressed([response.content]))
        response.headers["Content-Length"] = str(len(response.content))
    response.headers["Content-Encoding"] = "gzip"
    tag = response.headers.get("ETag", "")
    if tag.startswith('"'):
        response.headers["ETag"] = f"W/{tag}"  # the same content in other bytes (RFC 9110 §8.8.1)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield gzip as it comes, the first piece immediately; never keeps more than a piece or two."""
    written = io.BytesIO()
    # The name in the header is what makes the length vary; decoders ignore it. It is never empty: an
    # empty name has no terminating zero byte either, which would make lengths differ by one more.
    name = "a" * (1 + secrets.randbelow(_MAX_RANDOM_BYTES))
    with GzipFile(name, "wb", LEVEL, written, mtime=0) as file:
        for number, piece in enumerate(pieces):
            file.write(piece)
            if number == 0:
                file.flush()
            yield _taken(written)
    yield _taken(written)


def _taken(buffer: io.BytesIO) -> bytes:
    taken = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return taken
