"""Applications, their client secrets, the keys that sign their tokens, and revoked tokens."""

from applications.models.applications import (
    DESCRIPTION_MARK,
    END_MARK,
    LABEL_MARK,
    UNUSED_SINCE,
    Application,
    label_texts,
    search_text_of,
    searched_details_of,
)
from applications.models.client_secrets import (
    ADDRESS_MAX_LENGTH,
    AGENT_MAX_LENGTH,
    LABEL_MAX_LENGTH,
    ClientSecret,
    ClientSecretQuerySet,
    SecretUse,
)
from applications.models.deleted_applications import (
    KEPT_FIELDS,
    TRASH_DAYS,
    DeletedApplication,
    DeletedApplicationQuerySet,
    DeletedRule,
)
from applications.models.tokens import RevokedToken, SigningKey, TokenCount

__all__ = [
    "ADDRESS_MAX_LENGTH",
    "AGENT_MAX_LENGTH",
    "DESCRIPTION_MARK",
    "END_MARK",
    "KEPT_FIELDS",
    "LABEL_MARK",
    "LABEL_MAX_LENGTH",
    "TRASH_DAYS",
    "UNUSED_SINCE",
    "Application",
    "ClientSecret",
    "ClientSecretQuerySet",
    "DeletedApplication",
    "DeletedApplicationQuerySet",
    "DeletedRule",
    "RevokedToken",
    "SecretUse",
    "SigningKey",
    "TokenCount",
    "label_texts",
    "search_text_of",
    "searched_details_of",
]
