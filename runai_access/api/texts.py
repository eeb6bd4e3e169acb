"""Conditions on text: compared in its normalized form, as the console's pages compare it."""

from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.lookups import Contains, EndsWith, Exact, StartsWith

from runai_access.db.normalization import normalize
from runai_access.db.normalization_sql import normalized

_LOOKUPS = {
    "iexact": Exact,
    "icontains": Contains,
    "istartswith": StartsWith,
    "iendswith": EndsWith,
}


def like(lookup: str, comparison: str, value: str, *, normalized_column: str = "") -> Q:
    """Return the condition that a column compares with `value`: "icontains" for example.

    `normalized_column` is the stored normalized form of the column at `lookup`, if there is one.
    """
    text: Combinable = F(normalized_column) if normalized_column else normalized(lookup)
    return Q(_LOOKUPS[comparison](text, normalize(value)))


def compare(text: str, comparison: str, value: str) -> bool:
    """Return whether a text compares with `value`, as `like` does in a database."""
    folded, asked = normalize(text), normalize(value)
    match comparison:
        case "iexact":
            return folded == asked
        case "istartswith":
            return folded.startswith(asked)
        case "iendswith":
            return folded.endswith(asked)
        case _:
            return asked in folded
