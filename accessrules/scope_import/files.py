"""Files that hold scopes, as `import_scopes` reads them and `export_scopes` writes them.

CSV, JSON and YAML say the same: a list of scopes, each with `type`, `name`, `parent` and `id`, every
value a text. Nothing here knows of the database; whether the scopes make a tree is asked later.
"""

from accessrules.scope_import.readers import FORMATS, Contents, format_of, read
from accessrules.scope_import.rows import COLUMNS, Entry, Fault, Faults, Place
from accessrules.scope_import.writers import csv_rows, write

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Contents",
    "Entry",
    "Fault",
    "Faults",
    "Place",
    "csv_rows",
    "format_of",
    "read",
    "write",
]
