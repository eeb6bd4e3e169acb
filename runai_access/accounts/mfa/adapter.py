"""django-allauth's hooks: encryption, and how this installation and its users are named to others."""

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from runai_access.accounts.models import User
from runai_access.security.encryption import cipher


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Encrypts secrets with the secret key; names the installation by its settings, not by a header."""

    def encrypt(self, text: str) -> str:
        return cipher("second factors").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher("second factors").decrypt(encrypted_text).decode()

    def get_totp_label(self, user: User) -> str:
        return user.email

    def get_totp_issuer(self) -> str:
        return f"runai-access {settings.ACCOUNT_NAME}"

    def get_public_key_credential_rp_entity(self) -> dict[str, Any]:
        return {"id": settings.PASSKEY_DOMAIN, "name": self.get_totp_issuer()}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        name = user.display_name or user.email
        return {"id": str(user.pk).encode(), "display_name": name, "name": user.email}
