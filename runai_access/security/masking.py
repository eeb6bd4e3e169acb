"""Credentials in texts that are kept: nobody puts one there on purpose, but people paste them."""

import re

# What reads as a client secret (see applications.oauth.secrets) or a token.
_CREDENTIAL = re.compile(r"(ras_|eyJ)[A-Za-z0-9_-]{30,}(?:\.[A-Za-z0-9_-]*)*")


def masked(text: str) -> str:
    """Return `text` with every credential in it cut down to its first letters."""
    return _CREDENTIAL.sub(r"\1…", text)
