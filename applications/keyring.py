"""The keys that sign tokens: kept in the database, encrypted, and held ready in the process."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import ECAlgorithm

from applications.models import SigningKey

RELOAD_AT_MOST_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Key:
    """A key pair, ready to sign and verify."""

    kid: str
    private_key: ec.EllipticCurvePrivateKey
    public_key: ec.EllipticCurvePublicKey


class Keyring:
    """This process's copy of the keys; reads the database again for a key it does not know."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._loaded_at = -RELOAD_AT_MOST_EVERY_SECONDS
        self._lock = Lock()

    def current(self) -> Key:
        """Return the key to sign with; make the installation's first one if there is none."""
        with self._lock:
            if not self._keys:
                self._load()
            if not self._keys:
                make_key()
                self._load()
            return next(iter(self._keys.values()))

    def public_key(self, kid: object) -> ec.EllipticCurvePublicKey | None:
        """Return the key of that id, or None. Asking for unknown ones costs a read a second."""
        if not isinstance(kid, str):
            return None
        with self._lock:
            due = time.monotonic() - self._loaded_at >= RELOAD_AT_MOST_EVERY_SECONDS
            if kid not in self._keys and due:
                self._load()
            key = self._keys.get(kid)
        return key.public_key if key else None

    def forget(self) -> None:
        """Drop the copy; the next question reads the database."""
        with self._lock:
            self._keys = {}
            self._loaded_at = -RELOAD_AT_MOST_EVERY_SECONDS

    def _load(self) -> None:
        self._keys = {row.kid: _opened(row) for row in SigningKey.objects.all()}
        self._loaded_at = time.monotonic()


KEYRING = Keyring()


def make_key() -> SigningKey:
    """Make and store a new signing key; it signs from now on. Its id is its RFC 7638 thumbprint."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    jwk: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(private_key.public_key()))
    canonical = json.dumps(
        {name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":")
    )
    digest = hashlib.sha256(canonical.encode()).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return SigningKey.objects.create(
        kid=kid,
        encrypted_private_key=_box().encrypt(pem),
        public_jwk={**jwk, "kid": kid, "use": "sig", "alg": "ES256"},
    )


def _opened(row: SigningKey) -> Key:
    try:
        pem = _box().decrypt(bytes(row.encrypted_private_key))
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "The signing keys were made under another RUNAI_ACCESS_SECRET_KEY. Set that one again."
        ) from error
    private_key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise ImproperlyConfigured(f"Signing key {row.kid} is not an EC key.")
    return Key(row.kid, private_key, private_key.public_key())


def _box() -> Fernet:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"runai-access signing keys").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
