"""How a spreadsheet reads a file that it splits at any separator."""

import csv
import io
import re

SEPARATORS = ",;\t|"
STARTS = "=+-@\uff1d\uff0b\uff0d\uff20"
_REMOVED = '\ufeff" \v\u00a0\t\r\n'


def formulas(data: str, separators: str) -> list[str]:
    """Return the cells that start a formula where a spreadsheet splits the data at `separators`.

    Quotes are taken both ways: as those of CSV, and as text that is removed from the start of a cell.
    """
    cells = re.split(f"[\r\n{re.escape(separators)}]", data)
    for separator in separators:
        reader = csv.reader(io.StringIO(data, newline=""), delimiter=separator)
        cells += [cell for row in reader for cell in row]
    return [cell for cell in cells if cell.lstrip(_REMOVED)[:1] in set(STARTS)]
