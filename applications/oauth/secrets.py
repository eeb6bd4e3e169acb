"""The format of client secrets.

`ras_` + 43 base62 digits (256 random bits) + 6 base62 digits (CRC-32 of the preceding part). Secret
scanners find leaked ones by the prefix. The checksum detects mistyped ones without hashing.
"""

import secrets
import zlib

PREFIX = "ras_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BITS = 256
_RANDOM_LENGTH = 43  # 62 ** 43 is the first power above 2 ** 256
_CHECKSUM_LENGTH = 6
LENGTH = len(PREFIX) + _RANDOM_LENGTH + _CHECKSUM_LENGTH


def new_secret() -> str:
    """Return a new client secret."""
    body = PREFIX + _base62(secrets.randbits(_RANDOM_BITS), _RANDOM_LENGTH)
    return body + _checksum(body)


def is_well_formed(secret: str) -> bool:
    """Return whether `secret` has the length, prefix and checksum of a client secret."""
    if len(secret) != LENGTH or not secret.startswith(PREFIX) or not secret.isascii():
        return False
    return secret[-_CHECKSUM_LENGTH:] == _checksum(secret[:-_CHECKSUM_LENGTH])


def describe_malformed(secret: str) -> str:
    """Return why a secret is malformed, or "" if it is well-formed.

    Uses only the public format, so the message is safe for unauthenticated clients.
    """
    if is_well_formed(secret):
        return ""
    if secret != secret.strip():
        return "The client secret is malformed: it starts or ends with whitespace."
    if len(secret) != LENGTH:
        return (
            f"The client secret is malformed: it has {len(secret)} characters instead of {LENGTH}."
        )
    return "The client secret is malformed: it is mistyped or not a client secret."


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text
