"""Spellings that look alike, or differ only in case, and count as the same text."""

import unicodedata


def decomposed(text: str) -> str:
    """Return `text` with accents as characters of their own (NFD)."""
    return unicodedata.normalize("NFD", text)


SAME = [
    ("Zürich", decomposed("Zürich")),
    ("Zürich", "ZÜRICH"),
    ("straße", "STRASSE"),
    ("STRAẞE", "strasse"),
    ("ΟΔΟΣ", "οδος"),
    ("οδός", "ΟΔΌΣ"),
    ("ＴＥＡＭ", "team"),
    ("istanbul", "İSTANBUL"),
    ("İstanbul", decomposed("İSTANBUL")),
    ("team", "te\u200bam"),
    ("team", "\ufeffte\u00adam"),
    (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0645\u06cc\u062e\u0648\u0627\u0647\u0645",
    ),
    ("👩\u200d💻", "👩💻"),
    ("❤\ufe0f", "❤"),
    ("ﬁle", "FILE"),
    ("K2", "\u212a2"),
]
