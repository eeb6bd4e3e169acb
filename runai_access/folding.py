"""Text without regard to case, the same on every database: folded here, compared as it is there."""

import unicodedata
from collections.abc import Sequence


def fold(text: str) -> str:
    """Return `text` as it is compared: case-folded (Unicode 3.13, D145), composed, on one line."""
    if text.isascii():
        return text.lower().replace("\n", " ")
    composed = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", composed).replace("\n", " ")


def find_folded(text: str, term: str) -> list[tuple[int, int]]:
    """Return where the folded `term` stands in `text`, as pairs of start and end.

    Folding may change lengths (ß becomes ss), so positions are carried over character by character.
    """
    if not term:
        return []
    origins: Sequence[int]
    if text.isascii():  # as nearly all are: each character stays where it is
        folded, origins = text.lower(), range(len(text))
    else:
        pieces = [character.casefold() for character in text]
        folded = "".join(pieces)
        origins = [position for position, piece in enumerate(pieces) for _ in piece]
    found = []
    start = folded.find(term)
    while start >= 0:
        found.append((origins[start], origins[start + len(term) - 1] + 1))
        start = folded.find(term, start + len(term))
    return found
