"""What every endpoint that takes a client's credentials shares."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from applications.api.client import ClientCredentials
from applications.models import Application
from applications.signin import sign_in

CHALLENGE = 'Basic realm="runai-access"'
LARGEST_PARAMETER = 4096


class CredentialsView(APIView):
    """A view for those who are not signed in yet; its answers are never stored (RFC 6749 §5.1)."""

    tag = "Tokens"
    authentication_classes = ()
    permission_classes = ()

    def sign_in(
        self, client: ClientCredentials, *, known_as: str | None = None
    ) -> Application | None:
        """Return the application whose credentials these are, else None."""
        origin = self.request._request.origin  # type: ignore[attr-defined]  # set by OriginMiddleware
        return sign_in(client.client_id, client.secret, origin, known_as=known_as)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        final.headers["Pragma"] = "no-cache"
        return final
