"""Text without regard to case, the same on every database: folded here, compared as it is there."""

import unicodedata


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
    origins: list[int] = []
    folded = ""
    for position, character in enumerate(text):
        piece = character.casefold()
        folded += piece
        origins += [position] * len(piece)
    found = []
    start = folded.find(term)
    while start >= 0:
        found.append((origins[start], origins[start + len(term) - 1] + 1))
        start = folded.find(term, start + len(term))
    return found
