"""What every endpoint with a caller shares."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accessrules.authorization.callers import Caller, caller_of, record_denial
from runai_access.api.deprecation import Deprecation
from runai_access.api.query import require_valid_parameters
from runai_access.api.throttling import FAIR_USE
from runai_access.compression import allow_compression
from runai_access.errors import Denied


class CallerView(APIView):
    """A view that knows who calls: `self.caller`; what it refuses is recorded."""

    caller: Caller
    # Whose answers hold no secret, so that they can be compressed. A GET never shows one.
    compressed_methods: tuple[str, ...] = ("GET", "HEAD")
    deprecation: Deprecation | None = None
    http_method_names = ["get", "head", "post", "patch", "delete"]

    @property
    def caller_id(self) -> UUID:
        """The id of the subject that calls."""
        if self.caller.subject is None:
            raise TypeError("Commands don't come through the API.")
        return self.caller.subject.pk

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.caller = _caller(request)
        FAIR_USE.take(self.caller_id)
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
    # Django's own request holds who signed in by session; DRF's, who signed in by token.
    request._request.user = request.user
    return caller_of(request._request)
