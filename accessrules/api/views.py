"""The base view of endpoints that require authentication."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accessrules.authorization.callers import Caller, caller_of, record_denial
from runai_access.api.deprecation import Deprecation
from runai_access.api.query import require_valid_parameters
from runai_access.api.throttling import RATE_LIMITER
from runai_access.compression import allow_compression
from runai_access.errors import Denied


class CallerView(APIView):
    """A view with an authenticated `caller`. Denials are audited."""

    caller: Caller
    # Methods whose responses contain no secret, so they can be compressed (BREACH).
    compressed_methods: tuple[str, ...] = ("GET", "HEAD")
    deprecation: Deprecation | None = None
    http_method_names = ["get", "head", "post", "patch", "delete"]

    @property
    def caller_id(self) -> UUID:
        """The ID of the calling subject."""
        if self.caller.subject is None:
            raise TypeError("API callers always have a subject; only commands have none.")
        return self.caller.subject.pk

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.caller = _caller(request)
        RATE_LIMITER.take(self.caller_id)
        require_valid_parameters(self, request)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        if request.method in self.compressed_methods:
            allow_compression(finished)
        if self.deprecation:
            self.deprecation.announce(finished, request.path)
        return finished

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Denied):
            record_denial(self.request._request, exc)
        return super().handle_exception(exc)


def _caller(request: Request) -> Caller:
    # Django's request has the user of the session, and DRF's request the user of the token.
    request._request.user = request.user
    return caller_of(request._request)
