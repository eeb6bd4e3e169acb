"""Operators of filters, and how they compare texts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models.lookups import Contains, EndsWith, Exact, StartsWith

from runai_access.db.normalization import normalize


@dataclass(frozen=True)
class Operator:
    """A comparison operator.

    `takes` is the input of its value: text, date, moment, days, choices, or "" for none; `suffix`
    follows days. A negated operator matches the rows that the operator named `negates` does not.
    """

    name: str
    words: str
    takes: str = ""
    negates: str = ""
    suffix: str = ""

    @property
    def label(self) -> str:
        """The words, with a place for the value if they surround it."""
        return f"{self.words} … days{self.suffix}" if self.takes == "days" else self.words

    @property
    def test(self) -> str:
        """The name of the comparison, without a negation."""
        return self.negates or self.name


CONTAINS = Operator("contains", "contains", "text")
IS = Operator("is", "is", "text")
IS_NOT = Operator("is_not", "is not", "text", negates="is")
STARTS_WITH = Operator("starts_with", "starts with", "text")
# Only the API has these.
NOT_CONTAINS = Operator("not_contains", "does not contain", "text", negates="contains")
ENDS_WITH = Operator("ends_with", "ends with", "text")
AT_LEAST = Operator("at_least", "is at least")
AT_MOST = Operator("at_most", "is at most")
EVER = Operator("ever", "is not never", negates="never")
BEFORE = Operator("before", "is before", "date")
AFTER = Operator("after", "is after", "date")
LAST_DAYS = Operator("last_days", "is in the last", "days")
NEXT_DAYS = Operator("next_days", "is in the next", "days")
DAYS_AGO = Operator("days_ago", "is more than", "days", suffix=" ago")
PAST = Operator("past", "is in the past")
NEVER = Operator("never", "is never")
SINCE = Operator("since", "is since", "moment")
UNTIL = Operator("until", "is until", "moment")
ANY_OF = Operator("any_of", "is any of", "choices")
NONE = Operator("none", "is none")
ONE_OF_FEW = Operator("is", "is", "choices")

# The comparisons of text in the database and in Python. Both compare normalized forms.
LOOKUPS = {"contains": Contains, "starts_with": StartsWith, "ends_with": EndsWith, "is": Exact}
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "is": str.__eq__,
}


def is_match(operator: Operator, text: str, values: Iterable[str]) -> bool:
    """Return whether a text matches all values, in normalized form."""
    text = normalize(text)
    return all(
        COMPARISONS[operator.test](text, normalize(value)) is not bool(operator.negates)
        for value in values
    )
