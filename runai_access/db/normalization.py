"""Unicode normalization of names, email addresses, passwords and search terms.

There are two forms. The stored form is NFC. The compared form, from `normalize`, is NFKC, case-folded
and without ignorable characters: two names with the same compared form are the same name.
`normalization_sql` computes the compared form in SQL.
"""

import re
import unicodedata
from collections.abc import Sequence

# Default_Ignorable_Code_Point (Unicode 14, DerivedCoreProperties.txt): invisible characters, such as
# zero-width spaces and joiners, soft hyphens, variation selectors and Hangul fillers.
IGNORABLE_RANGES = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_IGNORABLE = re.compile(
    "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in IGNORABLE_RANGES) + "]"
)
# U+0130, the capital I with a dot, case-folds to "i" and U+0307; that looks the same as "i".
DOTTED_I = "i\u0307+"
_DOTTED_I = re.compile(DOTTED_I)


def normalize(text: str) -> str:
    """Return the compared form of `text`, on one line.

    Follows NFKC_Casefold (Unicode, section 3.13), with one addition: a dot above that directly follows
    "i" is removed, so that "istanbul" equals "İSTANBUL". The dotless i remains a distinct letter.
    """
    if text.isascii():
        return text.lower().replace("\n", " ")
    folded = _IGNORABLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return unicodedata.normalize("NFKC", _DOTTED_I.sub("i", folded)).replace("\n", " ")


def normalize_term(text: str) -> str:
    """Return the compared form of a search term, without surrounding whitespace."""
    return normalize(text).strip()


def stored_form(text: str) -> str:
    """Return the stored form of a name: NFC."""
    return unicodedata.normalize("NFC", text)


def normalize_email(email: str) -> str:
    """Return the stored form of an email address: NFC, lower case, no surrounding whitespace."""
    return stored_form(stored_form(email).strip().lower())


def normalize_password(password: str) -> str:
    """Return the form of a password that is hashed: OpaqueString (RFC 8265 section 4.2).

    Non-ASCII spaces become U+0020, and the result is NFC. Case and width are kept. Unlike the RFC,
    this refuses nothing: control characters in a password do no harm.
    """
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    return stored_form(spaced)


def is_storable(text: str) -> bool:
    """Return whether every database can store `text`: no NUL (PostgreSQL), no lone surrogate.

    Check untrusted text with this before a lookup: text that can't be stored can't match.
    """
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def is_ignorable(character: str) -> bool:
    """Return whether `character` is invisible."""
    return _IGNORABLE.fullmatch(character) is not None


def find_normalized(text: str, term: str) -> list[tuple[int, int]]:
    """Return the (start, end) positions in `text` where the normalized `term` occurs.

    Normalization changes lengths (ß becomes ss), so each normalized character is mapped to the piece
    of `text` that it came from. A match covers whole pieces.
    """
    if not term:
        return []
    starts: Sequence[int]
    ends: Sequence[int]
    if text.isascii():  # nearly always; characters keep their positions
        normalized, starts, ends = normalize(text), range(len(text)), range(1, len(text) + 1)
    else:
        normalized, starts, ends = _with_origins(text)
    found = []
    at = normalized.find(term)
    while at >= 0:
        found.append((starts[at], ends[at + len(term) - 1]))
        at = normalized.find(term, at + len(term))
    return found


def _with_origins(text: str) -> tuple[str, list[int], list[int]]:
    """Return the normalized text, and the start and end in `text` for each of its characters."""
    normalized, starts, ends = "", [], []
    for start, end in _pieces(text):
        piece = normalize(text[start:end])
        normalized += piece
        starts += [start] * len(piece)
        ends += [end] * len(piece)
    return normalized, starts, ends


def _pieces(text: str) -> list[tuple[int, int]]:
    """Split `text` where both sides can be normalized separately, so never before an accent."""
    pieces: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(text) + 1):
        is_apart = end == len(text) or (
            normalize(text[start : end + 1]) == normalize(text[start:end]) + normalize(text[end])
            and not unicodedata.combining(text[end])
        )
        if is_apart:
            pieces.append((start, end))
            start = end
    return pieces
