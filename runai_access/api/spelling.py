"""Detects likely misspellings of known names."""

from collections.abc import Iterable


def intended_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that differs from `name` only in case or by one letter, if any."""
    return next((other for other in known if _is_misspelling(name, other)), None)


def _is_misspelling(name: str, known: str) -> bool:
    if abs(len(name) - len(known)) > 1 or name == known:
        return False
    if name.casefold() == known.casefold():
        return True
    short, long = sorted((name, known), key=len)
    # After the common prefix, one letter is different or missing, and the rest is the same.
    start = next(
        (i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    return short[start + (len(short) == len(long)) :] == long[start + 1 :]
