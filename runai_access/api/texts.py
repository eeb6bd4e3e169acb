"""Text comparison in normalized form, as on the pages of the console."""

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
    """Return a condition that compares a column with `value`, for example by "icontains".

    `normalized_column` is the stored normalized form of the column at `lookup`, if there is one.
    """
    text: Combinable = F(normalized_column) if normalized_column else normalized(lookup)
    return Q(_LOOKUPS[comparison](text, normalize(value)))


def compare(text: str, comparison: str, value: str) -> bool:
    """Return whether a text matches `value`, like `like` does in a query."""
    text, value = normalize(text), normalize(value)
    match comparison:
        case "iexact":
            return text == value
        case "istartswith":
            return text.startswith(value)
        case "iendswith":
            return text.endswith(value)
        case _:
            return value in text
