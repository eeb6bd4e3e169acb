"""Encryption of what the database keeps for later use, with keys derived from the secret key."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def cipher(purpose: str) -> MultiFernet:
    """Return what encrypts with the current secret key, and decrypts with all accepted ones.

    What is encrypted for one `purpose` can't be decrypted for another.
    """
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([_fernet(secret, purpose) for secret in secrets])


def _fernet(secret: str, purpose: str) -> Fernet:
    info = f"runai-access {purpose}".encode()
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
