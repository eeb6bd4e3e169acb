"""Escapes texts that a spreadsheet would run as formulas (OWASP, CSV Injection).

Spreadsheets can split a file at other separators than ours: Excel uses the separator of its locale,
LibreOffice every separator chosen in its dialog. So a formula can start a cell, but can also follow a
separator or line break inside a cell, after blanks and quotes, which spreadsheets remove.

The escape is an apostrophe before the character that starts the formula. A text that already has
apostrophes there gets one more, so `unescape_formulas` is the exact inverse of `escape_formulas`.
"""

import re

# The last four are full-width forms, which some spreadsheets accept, too.
_STARTS = r"=+\-@\uff1d\uff0b\uff0d\uff20"
# Not formulas, but a spreadsheet can drop them from the start of a cell.
_DROPPED = r"\t\r\n\0"
_SEPARATORS = r"[,;|\t\r\n]"
# Characters before the formula. They include apostrophes, so that an escaped text needs the escape,
# too, which makes it reversible. They exclude separators, so that matching takes linear time.
_BEFORE = r"""(?:[^\S\t\r\n]|["'])*"""
_FORMULA = re.compile(
    rf"(?:\A{_BEFORE}(?=[{_STARTS}{_DROPPED}])|{_SEPARATORS}{_BEFORE}(?=[{_STARTS}]))"
)
_ESCAPED = re.compile(
    rf"(\A{_BEFORE})'(?=[{_STARTS}{_DROPPED}])|({_SEPARATORS}{_BEFORE})'(?=[{_STARTS}])"
)
# Nearly all cells need no escape; these two patterns detect that in a sixth of the time.
_INNER_FORMULA = re.compile(rf"{_SEPARATORS}{_BEFORE}[{_STARTS}]")
_FIRST = re.compile(rf"""[\s"'{_STARTS}{_DROPPED}]""")


def escape_formulas(text: str) -> str:
    """Return the text escaped, so that no spreadsheet runs any part of it."""
    if _FIRST.match(text) or _INNER_FORMULA.search(text):
        return _FORMULA.sub(r"\g<0>'", text)
    return text


def unescape_formulas(text: str) -> str:
    """Undo `escape_formulas`; return texts that it did not escape unchanged."""
    return _ESCAPED.sub(r"\1\2", text)
