"""A fast JSON renderer, because clients often request long lists."""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class FastJSONRenderer(BaseRenderer):
    """Renders compact UTF-8 JSON with orjson."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Return `data` as JSON, or an empty body for None."""
        return b"" if data is None else orjson.dumps(data)
