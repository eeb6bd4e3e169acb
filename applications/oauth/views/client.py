"""The client credentials of a request."""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import unquote_plus


@dataclass(frozen=True)
class ClientCredentials:
    """A client ID and its secret. The secret is not part of the `repr`."""

    client_id: str
    secret: str = field(repr=False)


class MalformedBasic(Exception):
    """The Authorization header is not valid Basic authentication."""


def from_basic(header: str) -> ClientCredentials | None:
    """Return the credentials of a Basic header, or None if it has another scheme.

    Client ID and secret are form-encoded (RFC 6749 §2.3.1). Raises MalformedBasic.
    """
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, colon, secret = text.partition(":")
        if not colon:
            raise MalformedBasic
        return ClientCredentials(
            unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
        )
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise MalformedBasic from None
