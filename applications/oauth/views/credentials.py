"""The base of endpoints that receive client credentials."""

from collections.abc import Callable, Container
from functools import update_wrapper
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.response import Response
from rest_framework.views import APIView

from applications.oauth.client_authentication import recognize, sign_in
from applications.oauth.lookups import FoundApplication
from applications.oauth.secrets import describe_malformed
from applications.oauth.views.client import ClientCredentials
from runai_access.api.deprecation import Deprecation
from runai_access.api.negotiation import can_read

CHALLENGE = 'Basic realm="runai-access"'
MAX_PARAMETER = 4096
IN_URL = "Credentials must not be in the URL."  # RFC 6749 §2.3.1
WRONG_CLIENT = "Incorrect client ID or client secret."


class Refusal(Exception):
    """Ends a request with an error response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class CredentialsView(APIView):
    """A view for unauthenticated clients. Responses are not cacheable (RFC 6749 §5.1).

    These are the busiest endpoints, so successful requests bypass REST framework: `post` gets Django's
    request and returns the response. Only errors go through the framework.
    """

    tag = "Tokens"
    deprecation: Deprecation | None = None
    authentication_classes = ()
    permission_classes = ()
    http_method_names = ["post"]
    # Returns the response for valid credentials; raises all errors.
    post: Callable[[HttpRequest], HttpResponse]

    @classmethod
    def as_view(cls) -> Any:  # type: ignore[override]  # these views have no options
        """Return a view that serves all requests with one instance, because `post` needs no state."""
        shared = cls()

        def view(request: HttpRequest) -> HttpResponseBase:
            return shared.dispatch(request)

        return update_wrapper(view, super().as_view())

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            handle = self.post if request.method == "POST" else self._only_post
            response = handle(request)
        except Exception as error:  # noqa: BLE001  # unexpected errors are raised again
            response = self._error_response(request, error)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        if self.deprecation:
            self.deprecation.announce(response, request.path)
        return response

    def body(self, request: HttpRequest) -> Any:
        """Return the parsed body. An empty body needs no content type."""
        parser = self.parser_classes[0]()
        has_body = request.META.get("CONTENT_LENGTH") not in ("", "0", None)
        if has_body and not can_read(parser, request.content_type):
            raise UnsupportedMediaType(request.content_type or "")
        return parser.parse(request)  # type: ignore[arg-type]  # a request is file-like

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, Refusal):
            return super().handle_exception(exc)
        exc.response.exception = True
        return exc.response

    def _only_post(self, request: HttpRequest) -> HttpResponse:
        raise MethodNotAllowed(request.method or "")

    def _error_response(self, request: HttpRequest, error: Exception) -> HttpResponseBase:
        # REST framework stores the request in the view, so an error needs its own instance.
        view = type(self)()
        view.headers = view.default_response_headers
        view.request = view.initialize_request(request)
        return view.finalize_response(view.request, view.handle_exception(error))


def has_in_url(request: HttpRequest, names: Container[str]) -> bool:
    """Return whether the URL has a parameter with one of these lowercase names, in any case."""
    if not request.META.get("QUERY_STRING"):
        return False  # most requests, without the cost of an empty QueryDict
    return any(name.lower() in names for name in request.GET)


def json_response(members: dict[str, Any]) -> HttpResponse:
    """Return `members` as JSON."""
    return HttpResponse(orjson.dumps(members), content_type="application/json")


def describe_refusal(client: ClientCredentials) -> str:
    """Return why a client is refused.

    For well-formed secrets, the message is the same for unknown, disabled and deleted clients.
    """
    return describe_malformed(client.secret) or WRONG_CLIENT


def application_with(
    request: HttpRequest, client: ClientCredentials, *, known_as: str | None = None
) -> FoundApplication | None:
    """Authenticate a client that requests a token; return its application, or None."""
    origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    return sign_in(client.client_id, client.secret, origin, known_as=known_as)


def application_without_login(
    request: HttpRequest, client: ClientCredentials
) -> FoundApplication | None:
    """Authenticate a client that requests no token; return its application, or None."""
    origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    return recognize(client.client_id, client.secret, origin)
