"""Endpoints that the official documents call deprecated (RFC 9745), and their successors (RFC 5829)."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path


@dataclass(frozen=True)
class Deprecation:
    """The deprecation date of an endpoint, and its successor.

    `successor` replaces the `prefix` of the path, or the whole path if there is no prefix.
    """

    since: datetime
    successor: str
    prefix: str = ""

    def announce(self, response: HttpResponseBase, path: str) -> None:
        """Add the headers to a response for `path`, and keep existing links in `Link`."""
        response["Deprecation"] = f"@{int(self.since.timestamp())}"
        rest = escape_uri_path(path.removeprefix(self.prefix)) if self.prefix else ""
        link = f'<{settings.PUBLIC_URL}{self.successor}{rest}>; rel="successor-version"'
        links = [response["Link"]] if response.has_header("Link") else []
        response["Link"] = ", ".join([*links, link])
