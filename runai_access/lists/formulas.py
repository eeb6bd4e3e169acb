"""Escaping of texts that a spreadsheet would run as a formula (OWASP, CSV Injection).

A spreadsheet need not split a file where we separate its cells: Excel splits at the separator of its
locale, LibreOffice at every separator chosen in its dialog. So not only the start of a cell can
become the start of a formula, but also what follows a separator or a line break inside the cell, with
blanks and quotes in between, which spreadsheets remove.

The escape is an apostrophe before the character that starts the formula. Texts that have apostrophes
there already get one more, so `unescape_formulas` is exact: it undoes `escape_formulas` for any text.
"""

import re

# The last four are the full-width forms that some spreadsheets accept as well.
_STARTS = r"=+\-@\uff1d\uff0b\uff0d\uff20"
# Not formulas themselves; but a spreadsheet may drop them from the start of a cell.
_DROPPED = r"\t\r\n\0"
_SEPARATORS = r"[,;|\t\r\n]"
# What may come before the formula. Apostrophes are included, so that an escaped text is still one
# that needs the escape: this makes it reversible. Separators are not, so that a search is linear.
_BEFORE = r"""(?:[^\S\t\r\n]|["'])*"""
_FORMULA = re.compile(
    rf"(?:\A{_BEFORE}(?=[{_STARTS}{_DROPPED}])|{_SEPARATORS}{_BEFORE}(?=[{_STARTS}]))"
)
_ESCAPED = re.compile(
    rf"(\A{_BEFORE})'(?=[{_STARTS}{_DROPPED}])|({_SEPARATORS}{_BEFORE})'(?=[{_STARTS}])"
)
# Nearly all cells of a file need no escape; these two find that out in a sixth of the time.
_INNER_FORMULA = re.compile(rf"{_SEPARATORS}{_BEFORE}[{_STARTS}]")
_FIRST = re.compile(rf"""[\s"'{_STARTS}{_DROPPED}]""")


def escape_formulas(text: str) -> str:
    """Return the text as a cell that no spreadsheet runs, wherever it splits the cell."""
    if _FIRST.match(text) or _INNER_FORMULA.search(text):
        return _FORMULA.sub(r"\g<0>'", text)
    return text


def unescape_formulas(text: str) -> str:
    """Return the text that `escape_formulas` made this cell of; any other cell unchanged."""
    return _ESCAPED.sub(r"\1\2", text)
