"""Text compared without regard to case, also beyond ASCII, whatever the database makes of case."""

from django.db.models import F, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Lower, Replace
from django.db.models.lookups import Contains, EndsWith, Exact, StartsWith

from runai_access.db.normalization import normalize

_PLAIN = {
    "iexact": Exact,
    "icontains": Contains,
    "istartswith": StartsWith,
    "iendswith": EndsWith,
}
# SQLite takes no expression that is deeper than 1,000, and no name has so many letters.
_MOST_LETTERS = 100
_TEXT: "TextField[str, str]" = TextField()


def like(lookup: str, comparison: str, value: str) -> Q:
    """Return the condition that a field compares so with `value`: "icontains" for example.

    SQLite knows the case of ASCII alone, and so does PostgreSQL in some locales. So the letters
    that are asked for beyond it are made small here, in the field and in the value alike.
    """
    large = {letter: small for c in value for letter, small in _cases(c)}
    if not large or len(large) > _MOST_LETTERS:
        return Q(**{f"{lookup}__{comparison}": value})
    # An address is no text to PostgreSQL; and nothing at all contains no text.
    field: Combinable = Lower(Coalesce(Cast(F(lookup), _TEXT), Value("", _TEXT)))
    for letter, small in large.items():
        field = Replace(field, Value(letter, _TEXT), Value(small, _TEXT))
    asked = "".join(large.get(c, c.lower() if c.isascii() else c) for c in value)
    return Q(_PLAIN[comparison](field, Value(asked, _TEXT)))


def compare(text: str, comparison: str, value: str) -> bool:
    """Return whether a text at hand compares so with `value`."""
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


def _cases(character: str) -> list[tuple[str, str]]:
    """Return how a letter beyond ASCII is written large, each with its small one."""
    small = character.lower()
    if character.isascii() or len(small) > 1:
        return []
    variants = {character, character.upper(), character.title()} - {small}
    return [(letter, small) for letter in sorted(variants) if len(letter) == 1]
