"""The format of client secrets.

`ras_` + 12 base62 digits (the public ID) + `_` + 43 base62 digits (256 random bits) + 6 base62 digits
(CRC-32 of the preceding part). Secret scanners find leaked ones by the prefix. The checksum detects
mistyped ones without hashing. Secrets made before 0.2.0 lack the ID and its `_`.
"""

import re
import secrets
import zlib

PREFIX = "ras_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
ID_LENGTH = 12
_RANDOM_BITS = 256
_RANDOM_LENGTH = 43  # 62 ** 43 is the first power above 2 ** 256
_CHECKSUM_LENGTH = 6
OLD_LENGTH = len(PREFIX) + _RANDOM_LENGTH + _CHECKSUM_LENGTH
LENGTH = OLD_LENGTH + ID_LENGTH + 1
# Published in docs/client-secrets.md for secret scanners. The checksum excludes false positives.
PATTERN = r"ras_([0-9A-Za-z]{12}_)?[0-9A-Za-z]{49}"


def new_id() -> str:
    """Return a new public ID of a client secret."""
    return "".join(secrets.choice(_DIGITS) for _ in range(ID_LENGTH))


def new_secret() -> str:
    """Return a new client secret."""
    return _with_checksum(
        f"{PREFIX}{new_id()}_{_base62(secrets.randbits(_RANDOM_BITS), _RANDOM_LENGTH)}"
    )


def id_of(secret: str) -> str:
    """Return the public ID of a well-formed secret, or "" if it has the old format."""
    return secret[len(PREFIX) :][:ID_LENGTH] if len(secret) == LENGTH else ""


def find_all(text: str) -> list[str]:
    """Return the texts that match PATTERN, each once. Some can have a wrong checksum."""
    return list(dict.fromkeys(match[0] for match in re.finditer(PATTERN, text)))


def is_id(text: str) -> bool:
    """Return whether `text` could be the public ID of a client secret."""
    return len(text) == ID_LENGTH and text.isascii() and text.isalnum()


def is_well_formed(secret: str) -> bool:
    """Return whether `secret` has the length, prefix and checksum of a client secret."""
    if len(secret) not in (LENGTH, OLD_LENGTH) or not secret.startswith(PREFIX):
        return False
    return secret.isascii() and secret == _with_checksum(secret[:-_CHECKSUM_LENGTH])


def describe_malformed(secret: str) -> str:
    """Return why a secret is malformed, or "" if it is well-formed.

    Uses only the public format, so the message is safe for unauthenticated clients.
    """
    if is_well_formed(secret):
        return ""
    if secret != secret.strip():
        return "The client secret is malformed: it starts or ends with whitespace."
    if len(secret) not in (LENGTH, OLD_LENGTH):
        return (
            f"The client secret is malformed: it has {len(secret)} characters instead of {LENGTH} "
            f"({OLD_LENGTH} in secrets from before release 0.2.0)."
        )
    return "The client secret is malformed: it is mistyped or not a client secret."


def _with_checksum(body: str) -> str:
    return body + _base62(zlib.crc32(body.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    text = ""
    for _ in range(0, length, 2):
        number, pair = divmod(number, len(_PAIRS))
        text = _PAIRS[pair] + text
    return text[-length:]
