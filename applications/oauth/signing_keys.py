"""Creates and decrypts signing keys."""

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

from cryptography.fernet import InvalidToken, MultiFernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from jwt.algorithms import ECAlgorithm

from applications.models import SigningKey
from runai_access.security.encryption import cipher


def create_key(*, signs_from: datetime) -> SigningKey:
    """Create and store an ES256 key. Its ID is its RFC 7638 thumbprint."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    jwk: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(private_key.public_key()))
    kid = _thumbprint(jwk)
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return SigningKey.objects.create(
        kid=kid,
        encrypted_private_key=_cipher().encrypt(pem),
        public_jwk={**jwk, "kid": kid, "use": "sig", "alg": "ES256"},
        signs_from=signs_from,
    )


def decrypt_key(row: SigningKey) -> tuple[ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey]:
    """Return the private and public key. Raises ImproperlyConfigured if SECRET_KEY has changed."""
    try:
        pem = _cipher().decrypt(bytes(row.encrypted_private_key))
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "The signing keys were encrypted with another RUNAI_ACCESS_SECRET_KEY. Restore that key, "
            f"or, if it is lost, run {settings.COMMAND} rotate_signing_key --end-others."
        ) from error
    private_key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise ImproperlyConfigured(f"Signing key {row.kid} is not an EC key.")
    return private_key, private_key.public_key()


@transaction.atomic
def encrypt_again() -> int:
    """Encrypt all signing keys with the current secret key; return how many."""
    rows = list(SigningKey.objects.select_for_update())
    for row in rows:
        row.encrypted_private_key = _cipher().rotate(bytes(row.encrypted_private_key))
        row.save(update_fields=["encrypted_private_key"])
    return len(rows)


def _thumbprint(jwk: dict[str, Any]) -> str:
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _cipher() -> MultiFernet:
    return cipher("signing keys")
