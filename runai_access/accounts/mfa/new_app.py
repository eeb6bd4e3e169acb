"""The secret of an authenticator app that is being set up.

Nothing stores it before the user has entered its first code. The form has it in encrypted form.
"""

from dataclasses import dataclass, field

from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import InvalidToken

from runai_access.accounts.models import User
from runai_access.security.encryption import cipher

# How long the page can stay open.
VALID_SECONDS = 60 * 60


@dataclass(frozen=True)
class NewApp:
    """A secret in all forms that the page shows."""

    secret: str = field(repr=False)
    sealed: str = field(repr=False)
    url: str = field(repr=False)

    @property
    def key(self) -> str:
        """The secret in groups of four, to type."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))

    @property
    def qr_code(self) -> str:
        """The URL as an SVG element, without the declaration of a file."""
        svg: str = get_adapter().build_totp_svg(self.url)
        return svg[svg.index("<svg") :]


def generate(user: User) -> NewApp:
    """Return a new secret for the app of `user`."""
    secret: str = generate_totp_secret()
    sealed = cipher("new second factors").encrypt(f"{user.pk} {secret}".encode()).decode()
    return _of(user, secret, sealed)


def reopen(user: User, sealed: str) -> NewApp | None:
    """Return the secret that a form of `user` contains; None if it is too old, or of another user."""
    try:
        text = cipher("new second factors").decrypt(sealed, ttl=VALID_SECONDS).decode()
    except InvalidToken:
        return None
    owner, secret = text.split(" ")
    return _of(user, secret, sealed) if owner == str(user.pk) else None


def _of(user: User, secret: str, sealed: str) -> NewApp:
    return NewApp(secret, sealed, get_adapter().build_totp_url(user, secret))
