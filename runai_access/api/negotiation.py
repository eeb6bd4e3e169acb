"""Content negotiation: lenient about the request headers, and responses are always JSON."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request


class JSONAlways(BaseContentNegotiation):
    """Ignores the Accept header, and parses bodies without a Content-Type as JSON."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        return next((p for p in parsers if can_read(p, request.content_type)), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def can_read(parser: BaseParser, content_type: str | None) -> bool:
    """Return whether `parser` supports the content type, which can be missing."""
    if content_type == parser.media_type:  # most requests
        return True
    media_type = (content_type or "").split(";")[0].strip().lower()
    return media_type in ("", "*/*", parser.media_type)
