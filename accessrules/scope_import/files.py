"""Scope files, which `import_scopes` reads and `export_scopes` writes.

A CSV, JSON or YAML file is a list of scopes with `type`, `name`, `parent` and `id`, all of them text.
This module does not use the database; `validation` checks that the scopes form a tree.
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
