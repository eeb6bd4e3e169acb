"""The provider's metadata and signing keys (OpenID Connect Discovery 1.0), cached in this process."""

import json
import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any

import jwt

from runai_access.errors import DomainError
from runai_access.security.outgoing import OutgoingError, fetch

CACHE_SECONDS = 60 * 60.0
# If the provider can't be reached, a cached document is used this long.
STALE_SECONDS = 24 * 60 * 60.0
RETRY_SECONDS = 10.0
# An ID token with an unknown key causes a request at most this often.
KEY_REFRESH_SECONDS = 30.0
_REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_ENDPOINTS = (*_REQUIRED, "userinfo_endpoint", "end_session_endpoint")
Document = dict[str, Any]


class ProviderError(DomainError):
    """The provider can't be reached, or does not answer as the specification says."""


class Cached:
    """A JSON document of the provider. One thread at a time requests it."""

    def __init__(self, read: Callable[[], Document]) -> None:
        self._read = read
        self._lock = Lock()
        self._value: Document | None = None
        self._error: ProviderError | None = None
        self._read_at = self._tried_at = float("-inf")

    def get(self, *, newer_than: float = CACHE_SECONDS) -> Document:
        """Return the document, at most `newer_than` seconds old. Raises ProviderError."""
        with self._lock:
            now = time.monotonic()
            if self._value is not None and now - self._read_at < newer_than:
                return self._value
            if now - self._tried_at >= RETRY_SECONDS:
                self._refresh(now)
            if self._value is not None and now - self._read_at < STALE_SECONDS:
                return self._value
            raise ProviderError(str(self._error))

    def _refresh(self, now: float) -> None:
        self._tried_at = now
        try:
            self._value, self._read_at = self._read(), now
        except ProviderError as error:
            self._error = error


class Discovery:
    """What a provider publishes about itself."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._metadata = Cached(self._read_metadata)
        self._keys = Cached(self._read_keys)

    @property
    def metadata(self) -> Document:
        """The provider's metadata. Raises ProviderError."""
        return self._metadata.get()

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """Return the key of an ID token. Raises ProviderError, also if there is no such key."""
        found = _select(self._keys.get(), kid, algorithm)
        if found is None:  # the provider may have a new one
            found = _select(self._keys.get(newer_than=KEY_REFRESH_SECONDS), kid, algorithm)
        if found is None:
            raise ProviderError("The provider has no key with the ID of the ID token.")
        return found

    def _read_metadata(self) -> Document:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata = read_json(address, trusted=self.issuer)
        if metadata.get("issuer") != self.issuer:
            raise ProviderError("The issuer in the provider's metadata is a different one.")
        for name in _ENDPOINTS:
            url = metadata.get(name)
            if url is None and name not in _REQUIRED:
                continue
            # Users are sent to some of these URLs, so they must not be scripts.
            if not isinstance(url, str) or not url.startswith(("https://", _origin(self.issuer))):
                raise ProviderError(f"The provider's {name} is not valid.")
        return metadata

    def _read_keys(self) -> Document:
        return read_json(self.metadata["jwks_uri"], trusted=self.issuer)


@lru_cache(maxsize=1)
def discovery_of(issuer: str) -> Discovery:
    """Return the discovery of the issuer, with its cache."""
    return Discovery(issuer)


def read_json(url: str, *, trusted: str, headers: dict[str, str] | None = None) -> Document:
    """Return the JSON object at a URL of the provider. Raises ProviderError."""
    try:
        reply = fetch(url, trusted=trusted, headers=headers)
    except OutgoingError as error:
        raise ProviderError(str(error)) from error
    if reply.status != 200:
        raise ProviderError(f"The provider answered with status {reply.status}.")
    return parse_object(reply.body)


def parse_object(text: str | bytes) -> Document:
    """Return a JSON object. Raises ProviderError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderError("The provider did not answer with a JSON object.")
    return document


def _select(keys: Document, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
    """Return the only signing key with this ID; without an ID, the only one of the algorithm."""
    listed = keys.get("keys")
    matching = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if len(matching) != 1:
        return None
    try:
        return jwt.PyJWK(matching[0], algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):  # a key of another type
        return None


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"
