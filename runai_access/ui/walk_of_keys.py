"""A way to a page of what several conditions leave: along the keys of one of them."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

from runai_access.ui.keys import Among, as_stored
from runai_access.ui.keyset import beyond
from runai_access.ui.ordered_keys import OrderedKeys

M = TypeVar("M", bound=Model)
# So many times as many keys as rows are wanted are looked at first, and so many times more each time
# that those are not enough.
_MORE = 4


@dataclass(frozen=True)
class WalkOfKeys(Generic[M]):
    """The rows of a list that meet the other conditions too, met among keys in its order, of which no
    more than `reach` are passed."""

    rows: QuerySet[M]
    ordered: OrderedKeys
    reach: int

    def keys(self, part: Q, length: int, *, is_descending: bool) -> list[Any] | None:
        """Return the keys of the first rows of a part; None where they stand too far off."""
        if length > self.reach:
            return None
        keys: list[Any] = []
        number, left, rest = length * _MORE, self.reach, part
        while left:
            number = min(number, left)
            edges = self.ordered.edges(rest, number, is_descending=is_descending)
            some = [key for _, key in edges]
            rows = self.rows.order_by().filter(Among("pk", as_stored(some)))
            met = set(rows.values_list("pk", flat=True))
            keys += [key for key in some if key in met]
            if len(keys) >= length or len(some) < number:
                return keys[:length]
            # From the last one on, so that none is met twice or left out, whatever comes meanwhile.
            rest = part & beyond(*edges[-1], is_descending=is_descending)
            left, number = left - number, number * _MORE
        return None
