"""What every endpoint that takes a client's credentials shares."""

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.response import Response
from rest_framework.views import APIView

from applications.models import Application
from applications.oauth.client_authentication import recognize, sign_in
from applications.oauth.secrets import describe_malformed
from applications.oauth.views.client import ClientCredentials
from runai_access.api.deprecation import Deprecation
from runai_access.api.negotiation import can_read

CHALLENGE = 'Basic realm="runai-access"'
MAX_PARAMETER = 4096
IN_ADDRESS = "Credentials must not stand in the address."  # RFC 6749 §2.3.1
WRONG_CLIENT = "The client ID or the client secret is wrong."


class Refusal(Exception):
    """Ends a request with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class CredentialsView(APIView):
    """A view for those who are not signed in yet; its answers are never stored (RFC 6749 §5.1).

    Machines come here all day long, so what succeeds takes the short way: `post` gets Django's own
    request and returns the answer. Only a refusal is made by the framework.
    """

    tag = "Tokens"
    deprecation: Deprecation | None = None
    authentication_classes = ()
    permission_classes = ()
    http_method_names = ["post"]
    # Returns the answer to good credentials; raises whatever else there is to say.
    post: Callable[[HttpRequest], HttpResponse]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            handle = self.post if request.method == "POST" else self._only_post
            response = handle(request)
        except Exception as problem:  # noqa: BLE001  # what nobody foresaw is raised again
            response = self._refusal(request, problem)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        if self.deprecation:
            self.deprecation.announce(response, request.path)
        return response

    def body(self, request: HttpRequest) -> Any:
        """Return what the body holds; where there is none, no media type is asked for."""
        parser = self.parser_classes[0]()
        has_body = request.META.get("CONTENT_LENGTH") not in ("", "0", None)
        if has_body and not can_read(parser, request.content_type):
            raise UnsupportedMediaType(request.content_type or "")
        return parser.parse(request)  # type: ignore[arg-type]  # a request is read like a file

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, Refusal):
            return super().handle_exception(exc)
        exc.response.exception = True
        return exc.response

    def _only_post(self, request: HttpRequest) -> HttpResponse:
        raise MethodNotAllowed(request.method or "")

    def _refusal(self, request: HttpRequest, problem: Exception) -> HttpResponseBase:
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request)
        return self.finalize_response(self.request, self.handle_exception(problem))


def answer(members: dict[str, Any]) -> HttpResponse:
    """Return `members` as JSON."""
    return HttpResponse(orjson.dumps(members), content_type="application/json")


def describe_refusal(client: ClientCredentials) -> str:
    """Return why a client is refused.

    Of secrets that can exist it says the same, whether the client is unknown, disabled or deleted.
    """
    return describe_malformed(client.secret) or WRONG_CLIENT


def application_with(
    request: HttpRequest, client: ClientCredentials, *, known_as: str | None = None
) -> Application | None:
    """Return the application whose credentials these are, else None; it gets a token then."""
    origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    return sign_in(client.client_id, client.secret, origin, known_as=known_as)


def asking_application(request: HttpRequest, client: ClientCredentials) -> Application | None:
    """Return the application whose credentials these are, else None; it asks for no token."""
    origin = request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
    return recognize(client.client_id, client.secret, origin)
