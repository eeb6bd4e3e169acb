"""The base view of endpoints that require authentication."""

import math
from typing import Any, NoReturn
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accessrules.authorization.callers import Caller, caller_of, record_denial
from runai_access.api.deprecation import Deprecation
from runai_access.api.query import require_valid_parameters
from runai_access.api.throttling import ServerTimeThrottle
from runai_access.compression import allow_compression
from runai_access.errors import Denied, TooMany


class CallerView(APIView):
    """A view with an authenticated `caller`. Denials are audited."""

    caller: Caller
    # Methods whose responses contain no secret, so they can be compressed (BREACH).
    compressed_methods: tuple[str, ...] = ("GET", "HEAD")
    deprecation: Deprecation | None = None
    http_method_names = ["get", "head", "post", "patch", "delete"]
    throttle_classes = [ServerTimeThrottle]

    @property
    def caller_id(self) -> UUID:
        """The ID of the calling subject."""
        if self.caller.subject is None:
            raise TypeError("API callers always have a subject; only commands have none.")
        return self.caller.subject.pk

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Created here, because it measures the time from its creation.
        self._throttle = ServerTimeThrottle()
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            self._throttle.charge()  # after an unexpected error, which skips finalize_response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_parameters(request)

    def check_parameters(self, request: Request) -> None:
        """Raise InvalidParameter for unknown query parameters and undeclared values."""
        require_valid_parameters(self, request)

    def get_throttles(self) -> list[BaseThrottle]:
        return [self._throttle]

    def check_throttles(self, request: Request) -> None:
        # Authentication and permissions have been checked, so there is a user.
        self.caller = _caller(request)
        super().check_throttles(request)

    def throttled(self, request: Request, wait: float) -> NoReturn:
        raise TooMany("You exceeded the rate limit of the API.", retry_after=math.ceil(wait))

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        finished = super().finalize_response(request, response, *args, **kwargs)
        if request.method in self.compressed_methods:
            allow_compression(finished)
        if self.deprecation:
            self.deprecation.announce(finished, request.path)
        self._throttle.charge()
        for name, value in self._throttle.headers.items():
            finished.headers[name] = value
        return finished

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Denied):
            record_denial(self.request._request, exc)
        return super().handle_exception(exc)


def _caller(request: Request) -> Caller:
    # Django's request has the user of the session, and DRF's request the user of the token.
    request._request.user = request.user
    return caller_of(request._request)
