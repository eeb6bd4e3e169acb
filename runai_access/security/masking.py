"""Masks credentials that users paste by mistake into text that is stored or logged."""

import re

# Matches client secrets (see applications.oauth.secrets) and tokens.
_CREDENTIAL = re.compile(r"(ras_|eyJ)[A-Za-z0-9_-]{30,}(?:\.[A-Za-z0-9_-]*)*")


def masked(text: str) -> str:
    """Return `text` with every credential reduced to its prefix."""
    return _CREDENTIAL.sub(r"\1…", text)
