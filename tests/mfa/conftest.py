"""An authenticator app and a passkey of the test process, and people who use them."""

import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData
from pytest_django import Settings

from runai_access.accounts.mfa.factors import new_app, replace_recovery_codes
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories

PASSWORD = "correct horse battery"
STEP, APP = "/sign-in/second-factor/", "/account/factors/app/"
PASSKEY, OPTIONS = "/sign-in/passkey/", "/sign-in/passkey/options/"
ORIGIN = "http://localhost:8000"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    """The clock of codes, which stands still until it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = int(time.time()) // 30 * 30
        monkeypatch.setattr("runai_access.accounts.mfa.factors.time.time", lambda: float(self.now))

    def code(self, secret: str = SECRET, *, steps: int = 0) -> str:
        return format_hotp_value(hotp_value(secret, self.now // 30 + steps))

    def next_code(self) -> str:
        """Move to the next time step, and return its code."""
        self.now += 30
        return self.code()


def with_app(user: User) -> list[str]:
    """Give the user an authenticator app with SECRET, and return their recovery codes."""
    new_app(user, SECRET, 0).save()
    return replace_recovery_codes(user)


@pytest.fixture
def rosa(db: None) -> User:
    """Rosa has an authenticator app."""
    user = factories.person("rosa@acme.example", "Viewer", password=PASSWORD)
    with_app(user)
    return user


def enter_password(client: Client, email: str = "rosa@acme.example", **more: str) -> Any:
    return client.post("/sign-in/", {"email": email, "password": PASSWORD, **more})


def enter_code(client: Client, code: str, **more: str) -> Any:
    return client.post(STEP, {"code": code, **more})


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def reasons(result: str = "Failed", action: str = "sign-in") -> list[str]:
    rows = AuditEvent.objects.filter(action=action, result=result).order_by("pk")
    return list(rows.values_list("reason", flat=True))


def factor_changes() -> list[Any]:
    rows = AuditEvent.objects.filter(action="update").order_by("pk")
    changes = rows.values_list("changes", flat=True)
    return [change["secondFactor"] for change in changes if "secondFactor" in change]


def codes_in(response: HttpResponse) -> list[str]:
    """Return the recovery codes that a response shows."""
    found = re.search(
        r'<pre id="recovery-codes".*?>(.*?)</pre>', response.content.decode(), re.DOTALL
    )
    assert found, "the response shows no recovery codes"
    return unescape(found[1]).split("\n")[:-1]


@pytest.fixture
def passkeys(settings: Settings) -> None:
    """Browsers offer passkeys at the URL of the installation."""
    settings.PUBLIC_URL, settings.PASSKEY_DOMAIN = ORIGIN, "localhost"


@dataclass
class SoftPasskey:
    """A passkey on a device, and what its browser sends."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: uuid4().bytes)
    origin: str = ORIGIN
    user_handle: str = ""
    is_verified: bool = True

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the response to the options of a creation."""
        public_key = options["publicKey"]
        self.user_handle = public_key["user"]["id"]
        credential = AttestedCredentialData.create(
            b"\0" * 16, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = self._authenticator_data(public_key["rp"]["id"], credential)
        response = {
            "clientDataJSON": self._client_data("webauthn.create", public_key["challenge"]),
            "attestationObject": AttestationObject.create("none", data, {}),
        }
        return self._response(response)

    def use(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the response to the options of a sign-in."""
        public_key = options["publicKey"]
        data = self._authenticator_data(public_key["rpId"])
        client_data = self._client_data("webauthn.get", public_key["challenge"])
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": data,
            "signature": self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
        }
        return self._response(response, userHandle=self.user_handle)

    def _authenticator_data(
        self, domain: str, credential: AttestedCredentialData | None = None
    ) -> AuthenticatorData:
        flags = AuthenticatorData.FLAG.UP
        if self.is_verified:
            flags |= AuthenticatorData.FLAG.UV
        if credential:
            flags |= AuthenticatorData.FLAG.AT
        digest = hashlib.sha256(domain.encode()).digest()
        return AuthenticatorData.create(digest, flags, 0, credential or b"")

    def _client_data(self, type_: str, challenge: str) -> bytes:
        return json.dumps({"type": type_, "challenge": challenge, "origin": self.origin}).encode()

    def _response(self, parts: dict[str, bytes], **more: str) -> dict[str, Any]:
        id_ = websafe_encode(self.credential_id)
        response = {name: websafe_encode(part) for name, part in parts.items()}
        return {
            "type": "public-key", "id": id_, "rawId": id_, "clientExtensionResults": {},
            "response": {**response, **more},
        }  # fmt: skip


def create_passkey(client: Client, name: str = "Laptop", **options: Any) -> SoftPasskey:
    """Create a passkey in a signed-in browser, and add it."""
    passkey = SoftPasskey(**options)
    response = passkey.create(client.post("/account/factors/passkey/options/").json())
    client.post("/account/factors/passkey/", {"name": name, "response": json.dumps(response)})
    return passkey


def use_passkey(client: Client, passkey: SoftPasskey, url: str = PASSKEY, **more: str) -> Any:
    """Use a passkey at one of the pages that accept it."""
    response = passkey.use(client.post(f"{url}options/").json())
    return client.post(url, {"response": json.dumps(response), **more})
