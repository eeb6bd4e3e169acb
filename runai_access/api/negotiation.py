"""What clients ask for and what they send are taken liberally: we answer JSON, always."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request


class JSONAlways(BaseContentNegotiation):
    """Answers JSON whatever Accept says; reads a body without a Content-Type as JSON."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        sent = (request.content_type or "").split(";")[0].strip().lower()
        for parser in parsers:
            if sent in ("", "*/*", parser.media_type):
                return parser  # type: ignore[no-any-return]  # the stubs leave it open
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type
