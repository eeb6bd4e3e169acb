"""The authorization code flow with the configured provider, on top of django-allauth.

django-allauth keeps the state of each flow in the session, does PKCE, and exchanges the code. Added
here: the nonce, the signature of the ID token, exact issuers (also RFC 9207), and bounded requests.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, Self
from urllib.parse import quote_plus, urlencode

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from runai_access.accounts.models import User
from runai_access.accounts.sso.discovery import (
    Discovery,
    ProviderError,
    discovery_of,
    parse_object,
    read_json,
)
from runai_access.accounts.sso.identity import Identity, identity_of, verify_id_token
from runai_access.environment import OpenIDProvider
from runai_access.errors import Busy, NotFound
from runai_access.security.outgoing import OutgoingError, Reply, fetch

MAX_CODE_LENGTH = 4096
# A provider that does not answer must leave threads for other requests.
_slots = BoundedSemaphore(max(1, settings.THREADS // 3))


class FlowExpired(ProviderError):
    """The callback belongs to no flow of this session, or to one that was already completed."""


class FlowCanceled(ProviderError):
    """The provider reports that the user did not sign in."""


@dataclass(frozen=True)
class Flow:
    """One authorization code flow, kept in the session until the provider sends the user back."""

    # What it is for; see `views.sign_on`.
    purpose: str
    next_url: str
    # The ID of the signed-in user who started it.
    user: str
    nonce: str
    code_verifier: str


def configured_provider() -> OpenIDProvider:
    """Return the configured provider. Raises NotFound without one."""
    if settings.OIDC is None:
        raise NotFound("Single sign-on is not configured.")
    provider: OpenIDProvider = settings.OIDC
    return provider


def connected_provider(user: User) -> OpenIDProvider | None:
    """Return the configured provider if the user can sign in with it."""
    provider: OpenIDProvider | None = settings.OIDC
    if provider is None:
        return None
    linked = SocialAccount.objects.filter(user=user, provider=provider.issuer)
    return provider if linked.exists() else None


def start(
    request: HttpRequest,
    *,
    purpose: str,
    next_url: str,
    user: str = "",
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Begin a flow; return the provider's URL to send the user to.

    `parameters` are added to the authentication request. Raises ProviderError, and Busy if too many
    requests wait for the provider.
    """
    nonce = secrets.token_urlsafe(32)
    with _slot():
        redirect = Provider(request).redirect(
            request,
            AuthProcess.LOGIN,
            next_url=next_url,
            auth_params={"nonce": nonce, **(parameters or {})},
            purpose=purpose,
            user=user,
            nonce=nonce,
        )
    url: str = redirect.url
    return url


def take_flow(request: HttpRequest) -> Flow:
    """Return the flow of a callback, which no other callback can use again.

    Raises FlowExpired if this session has no such flow.
    """
    try:
        state = Provider(request).unstash_redirect_state(request, request.GET.get("state", ""))
    except PermissionDenied:
        raise FlowExpired("The callback does not belong to a sign-in of this browser.") from None
    return Flow(
        purpose=state["purpose"],
        next_url=state.get("next", ""),
        user=state["user"],
        nonce=state["nonce"],
        code_verifier=state["pkce_code_verifier"],
    )


def identify(request: HttpRequest, flow: Flow) -> Identity:
    """Exchange the code of a callback for the verified identity of the user.

    Raises FlowCanceled, ProviderError, and Busy if too many requests wait for the provider.
    """
    provider = configured_provider()
    discovery = discovery_of(provider.issuer)
    # RFC 9207 §2.4: a provider that announces the parameter always sends it.
    announced = discovery.metadata.get("authorization_response_iss_parameter_supported") is True
    if request.GET.get("iss", "" if announced else provider.issuer) != provider.issuer:
        raise ProviderError("The callback names another issuer, or none.")
    if "error" in request.GET:
        raise FlowCanceled(f"The provider reports {request.GET['error'][:40]!r}.")
    if not 0 < len(request.GET.get("code", "")) <= MAX_CODE_LENGTH:
        raise ProviderError("The callback has no authorization code.")
    with _slot():
        tokens = _exchange(request, flow)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderError("The provider did not return an ID token.")
        claims = verify_id_token(
            id_token, discovery=discovery, client_id=provider.client_id, nonce=flow.nonce
        )
        if "email" not in claims:
            claims.pop("email_verified", None)  # it is about no email
        claims = {**_more_claims(claims, tokens["access_token"], discovery), **claims}
    return identity_of(claims, id_token, provider)


def sign_out_url(id_token: str) -> str | None:
    """Return the URL that ends the session at the provider (OpenID Connect RP-Initiated Logout 1.0).

    None if the provider has none, or can't be reached.
    """
    if settings.OIDC is None:
        return None
    try:
        with _slot():
            endpoint = discovery_of(settings.OIDC.issuer).metadata.get("end_session_endpoint")
    except (ProviderError, Busy):
        return None
    if not endpoint:
        return None
    query = {
        "client_id": settings.OIDC.client_id,
        "post_logout_redirect_uri": f"{settings.PUBLIC_URL}{reverse(settings.LOGIN_URL)}",
    }
    if id_token:
        query["id_token_hint"] = id_token
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """django-allauth's hooks: the provider of the settings, and bounded requests to it."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: Any = None
    ) -> "Provider":
        return Provider(request)

    def get_requests_session(self) -> "_Session":
        return _Session(configured_provider().issuer)

    def generate_state_param(self, state: dict[str, Any]) -> str:
        return secrets.token_urlsafe(32)


class _Client(OAuth2Client):  # type: ignore[misc]  # allauth has no types
    """django-allauth's client, for authorization endpoints that have a query (RFC 6749 §3.1)."""

    def get_redirect_url(
        self, authorization_url: str, scope: list[str], extra_params: dict[str, str]
    ) -> str:
        endpoint, _, query = authorization_url.partition("?")
        url: str = super().get_redirect_url(endpoint, scope, extra_params)
        return f"{url}&{query}" if query else url


class CodeFlow(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """django-allauth's code flow, with our discovery and callback URL."""

    client_class = _Client

    @property
    def openid_config(self) -> dict[str, Any]:
        return discovery_of(configured_provider().issuer).metadata

    @property
    def basic_auth(self) -> bool:
        # The default is that of OpenID Connect Discovery 1.0 §3.
        methods = self.openid_config.get("token_endpoint_auth_methods_supported")
        return "client_secret_post" not in (methods or ["client_secret_basic"])

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.PUBLIC_URL}{reverse('accounts:provider-callback')}"


class Provider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    """The provider of the settings. Its ID is the issuer, which identities are stored with."""

    oauth2_adapter_class = CodeFlow

    def __init__(self, request: HttpRequest) -> None:
        self.configured = configured_provider()
        app = SocialApp(
            provider=self.id,
            provider_id=self.configured.issuer,
            name=self.configured.name,
            client_id=self.configured.client_id,
            secret=self.configured.client_secret,
            settings={
                "server_url": self.configured.issuer,
                "scope": list(self.configured.scopes),
                "oauth_pkce_enabled": True,
            },
        )
        super().__init__(request, app=app)


def _exchange(request: HttpRequest, flow: Flow) -> dict[str, Any]:
    """Return the provider's response to the authorization code."""
    provider = Provider(request)
    code_flow = provider.get_oauth2_adapter(request)
    try:
        tokens: dict[str, Any] = code_flow.get_access_token_data(
            request,
            provider.app,
            code_flow.get_client(request, provider.app),
            pkce_code_verifier=flow.code_verifier,
        )
    except OutgoingError as error:
        raise ProviderError(str(error)) from error
    except OAuth2Error:
        raise ProviderError("The provider refused the authorization code.") from None
    return tokens


def _more_claims(
    claims: Mapping[str, Any], access_token: Any, discovery: Discovery
) -> dict[str, Any]:
    """Return the claims of the UserInfo endpoint, if the ID token lacks some that are used."""
    endpoint = discovery.metadata.get("userinfo_endpoint")
    used = {"email", "email_verified", "name", configured_provider().groups_claim}
    if endpoint is None or used <= claims.keys():
        return {}
    headers = {"Authorization": f"Bearer {access_token}"}
    found = read_json(endpoint, trusted=discovery.issuer, headers=headers)
    if found.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0 §5.3.4
        raise ProviderError("The UserInfo response is about another user.")
    if found.get("email") != claims.get("email", found.get("email")):
        found.pop("email_verified", None)  # it is about another email
    return found


@contextmanager
def _slot() -> Iterator[None]:
    """Bound the number of threads that wait for the provider. Raises Busy."""
    if not _slots.acquire(blocking=False):
        raise Busy("Too many users are signing in right now.", retry_after=2)
    try:
        yield
    finally:
        _slots.release()


class _Session:
    """What django-allauth uses of a `requests.Session`."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def request(
        self, method: str, url: str, *, data: Mapping[str, str] | None, auth: Any, **_: Any
    ) -> "_Response":
        """Send a form. `auth` has the client's credentials, if they are not in the form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if auth is not None:
            # RFC 6749 §2.3.1
            pair = f"{quote_plus(auth.username)}:{quote_plus(auth.password)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        body = urlencode(data or {}).encode()
        return _Response(
            fetch(url, trusted=self._issuer, method=method, headers=headers, body=body)
        )


class _Response:
    """What django-allauth uses of a `requests.Response`."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self.headers = {"content-type": reply.headers.get("Content-Type", "")}
        self.content = b""  # allauth puts it into error messages
        self.text = reply.body.decode(errors="replace")

    def json(self) -> dict[str, Any]:
        return parse_object(self.text)
