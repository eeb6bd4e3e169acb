"""Answers as JSON, quickly: long lists are what programs ask for all day."""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class QuickJSONRenderer(BaseRenderer):
    """Writes compact UTF-8 JSON with orjson."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Return `data` as JSON; nothing at all for an answer without content."""
        return b"" if data is None else orjson.dumps(data)
