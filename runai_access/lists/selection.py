"""Filters and a search leave rows out: which rows stay is found in whichever way is quick.

There are two ways, and each is bad where the other is good. Few rows are found by an index of the
condition's own, then sorted. Many are met while the list is walked in its order, so that a page is
full after a few steps; finding them all first would take a second. Which of the two it is, a probe
tells that reads at most FEW keys, and where it finds more, the count: as long as that is exact, the
rows are sorted too, without their keys leaving the database. They could all stand at the far end; but
a page of them is looked for by a walk first, as far as that takes less than to sort them.

More could stand there as well, so a walk among those has an end, too: behind it they are sorted unless
they are more than FAR. And some need neither: where their keys are, these stand in the list's order. A
page of them is read from there, or met there along the way if others leave rows out as well.

A way to a page of what several conditions leave: along the keys of one of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Exists, F, Model, Q, QuerySet
from django.utils.functional import cached_property

from runai_access.db.conditions import changed, renamed
from runai_access.db.expressions import Among, Aside
from runai_access.db.keys import AmongKeys, Keys, OrderedKeys, as_stored
from runai_access.lists.keyset import (
    COUNTED,
    Count,
    Sort,
    Sorted,
    Walk,
    Way,
    beyond,
    count_up_to,
    unindexed,
)

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


# Sorting this many costs about as much as walking until a page of them is full.
FEW = 3_000
# So many are sorted sooner than they are walked to, where a page is not full soon.
FAR = 100_000
# So many keys that stand in the list's order are asked for the other conditions, to fill a page.
_ALONG = 3_000
# "At least" is found out among so many; fewer than a page has would say nothing.
_SAMPLES = (500, 1_000)
_TELLING = 100


@dataclass(frozen=True)
class Narrowing:
    """One thing that leaves rows out: the condition, and where rows that meet it are found.

    Without a condition it says that the rows it is used with leave some out already: of those that
    `among` has, where that is told.

    `column` is set where the condition is one range of the index by that column, which then gives
    the keys too.
    """

    condition: Q
    keys: Keys | None = None
    column: str = ""
    among: QuerySet[Any] | None = None

    @property
    def is_sight(self) -> bool:
        """Whether it says what the rows leave out already, and of which."""
        return not self.condition and self.among is not None


class Narrowed:
    """The rows that all of `narrowings` leave, found in the quicker way.

    They are counted up to `counted`: COUNTED unless a file is to hold more of them.
    """

    def __init__(
        self, rows: QuerySet[Any], narrowings: Sequence[Narrowing], counted: int | None = None
    ) -> None:
        self._rows, self._narrowings = rows, narrowings
        self._limit = COUNTED if counted is None else counted
        # Keys may repeat, so a few more are read than are to be counted.
        self._most = self._limit * 6 // 5
        self._found = [(one, one.keys) for one in narrowings if one.keys is not None]
        self._counts: dict[int, tuple[int, bool]] = {}
        self._too_many: dict[int, bool] = {}

    @cached_property
    def _few(self) -> tuple[Narrowing, list[Any]] | None:
        """One that leaves few rows, and their keys; None where none of them does."""
        for number, (narrowing, keys) in enumerate(self._found):
            few = self._few_of(number, keys) if keys.is_whole else None
            if few is not None:
                return narrowing, few
        return None

    def _few_of(self, number: int, keys: Keys) -> list[Any] | None:
        """Return the keys if they are few; note how many they are where that is found out."""
        if keys.is_distinct:
            return keys.few(FEW)
        if self._are_too_many(number):
            return None
        # To tell the same ones apart, all that are counted are read. SQLite would sort them for that,
        # so it sends them; PostgreSQL has a better way, and to send them would take longer.
        if keys.once or connection.vendor != "sqlite":
            different, are_all = self._counted(number)
            are_few = are_all and different <= FEW
            return list(dict.fromkeys(keys.first(self._most))) if are_few else None
        read = keys.first(self._most)
        found = list(dict.fromkeys(read))
        self._counts[number] = len(found), len(read) < self._most
        return found if len(read) < self._most and len(found) <= FEW else None

    @cached_property
    def _whole(self) -> tuple[Narrowing, Keys] | None:
        """One that leaves not few, and no more than are counted, with where they are found."""
        if self._few is None:
            for number, (narrowing, keys) in enumerate(self._found):
                if keys.is_whole and not self._are_too_many(number) and self._counted(number)[1]:
                    return narrowing, keys
        return None

    def _are_too_many(self, number: int) -> bool:
        """Return whether one of several has more keys than are read to tell the same ones apart.

        Then it need not be found out how many different ones those are.
        """
        keys = self._found[number][1]
        if len(self._narrowings) == 1 or keys.tells_apart or number in self._counts:
            return False
        if number not in self._too_many:
            self._too_many[number] = keys.exceed(self._most - 1) is True
        return self._too_many[number]

    def _counted(self, number: int) -> tuple[int, bool]:
        """Return how many keys one has among those that are read, and whether those are all."""
        if number not in self._counts:
            keys = self._found[number][1]
            self._counts[number] = keys.count(self._limit + 1 if keys.tells_apart else self._most)
        return self._counts[number]

    @property
    def _is_walked(self) -> bool:
        return self._few is None and self._whole is None

    def rows(self, sort: Sort | None = None, *, is_page: bool = False) -> QuerySet[Any]:
        """Return the rows; where they are to be walked through, in the order of `sort`.

        `is_page` says that no more than a page of them is wanted.
        """
        if self._few is not None:
            narrowing, few = self._few
            rows = self._rows.filter(Among("pk", few))
            return _meeting(rows, _without_known(self._narrowings, narrowing))
        if self._whole is not None and not self._is_walked:
            return self._led_by(*self._whole)
        return self._met(sort, is_page=is_page)

    def listed(self, sort: Sort) -> Sorted[Any]:
        """Return the rows as a page of them is read."""
        ordered = self._ordered(sort)
        if ordered:
            return Sorted(self._rows, unindexed(sort), count=self.count(), ordered=ordered)
        rows, order, walk = self.rows(sort, is_page=True), self.order(sort), self.walk(sort)
        far = partial(self._far, sort) if walk and self._is_walked else None
        return Sorted(rows, order, walk, self.count(), far=far)

    def _ordered(self, sort: Sort) -> OrderedKeys | None:
        """Return where the keys of these rows stand in this order, if they do."""
        if len(self._narrowings) == 1 and self._found:
            narrowing, keys = self._found[0]
            if self._rows.query.where and not narrowing.is_sight:
                return None
            return _in_order(keys, sort)
        return None

    def _met(self, sort: Sort | None, *, is_page: bool) -> QuerySet[Any]:
        """Return the rows as they are met along the order."""
        if sort is None:
            return _meeting(self._rows, self._narrowings)
        left = map(_probed, self._narrowings) if is_page else self._narrowings
        # In another order the index of a condition would give all of them, unsorted.
        return _meeting(self._rows, left, led_by=sort.column)

    def _led_by(self, narrowing: Narrowing, keys: Keys) -> QuerySet[Any]:
        """Return the rows, found by the keys of one condition."""
        if narrowing.column:
            return _meeting(self._rows, self._narrowings, led_by=narrowing.column)
        rows = self._rows.filter(AmongKeys("pk", keys))
        return _meeting(rows, _without_known(self._narrowings, narrowing), led_by="")

    def walk(self, sort: Sort) -> Way | None:
        """Return how a page of rows may be met sooner than all of them are sorted, or met.

        To pass a row takes about half as long as to sort one, so this loses no more than it may save.
        A range of an index is sorted soon enough; where the order is its own, it needs no way to it.
        """
        along = self._walk_of_keys(sort) if self._is_walked else None
        if along:
            return along
        columns = {narrowing.column for narrowing in self._narrowings} - {""}
        passed = self._passed()
        if self._few is not None or not self._found or passed is None:
            return None
        if not sort.column or sort.column in columns:
            return None
        if not self._is_walked and (columns or len(self._narrowings) > 1):
            return None  # what several leave of so few is not met soon
        _, keys = self._found[0]
        # Of those that are not all it is known that they are not few.
        number = self._counted(0)[0] if keys.is_whole else self._most
        return Walk(self._met(sort, is_page=True), passed, sort, number * 3 // 2)

    def _walk_of_keys(self, sort: Sort) -> WalkOfKeys[Any] | None:
        """Return how to meet them among the keys of one condition that stand in this order.

        Not if another one is a range of the order itself: to begin there is better.
        """
        if sort.column in {narrowing.column for narrowing in self._narrowings}:
            return None
        for narrowing, keys in reversed(self._found):  # sight, if it is among them, leaves most out
            ordered = _in_order(keys, sort)
            if ordered:
                others = _without_known(self._narrowings, narrowing)
                rows = _meeting(self._left_by(narrowing, keys), map(_probed, others))
                return WalkOfKeys(rows, ordered, _ALONG)
        return None

    def _passed(self) -> QuerySet[Any] | None:
        """Return what is passed on the way: rows that are not asked for each if they are in sight."""
        sights = [narrowing for narrowing in self._narrowings if not narrowing.condition]
        return sights[0].among if sights else self._rows

    def _far(self, sort: Sort) -> Sorted[Any] | None:
        """Return how to read many rows that are not met soon; None where to go on is best."""
        quickly_counted_first = sorted(self._found, key=lambda one: not one[1].tells_apart)
        for narrowing, keys in quickly_counted_first:
            _, are_all = keys.count(FAR)
            if are_all:
                return Sorted(self._led_by(narrowing, keys), unindexed(sort))
        return None

    def order(self, sort: Sort) -> Sort:
        """Return how to sort them: who is found by keys is not to be met by walking through all."""
        return sort if self._is_walked else unindexed(sort)

    def count(self) -> Count:
        """Count them; where that would take too long, say how many there are at least."""
        limit = self._limit
        if len(self._narrowings) == 1 and self._found and self._found[0][1].is_exact:
            # What is read already tells; else only SQLite reads to count, where the same ones repeat.
            is_quick = self._found[0][1].tells_apart or connection.vendor != "sqlite"
            few = self._few if "_few" in self.__dict__ or not is_quick else None
            number, are_all = (len(few[1]), True) if few else self._counted(0)
            if are_all or number > _TELLING:
                return Count(min(number, limit), are_all and number <= limit)
            return count_up_to(self.rows(), limit)
        if not self._found or self._few is not None or self._whole is not None:
            return count_up_to(self.rows(), limit)
        return self._count_among_some()

    def exceed(self, number: int) -> bool | None:
        """Return whether they are more than so many; None where it takes too long to find that out."""
        is_known = self._counts or "_few" in self.__dict__
        if len(self._narrowings) == 1 and self._found and not is_known:
            _, keys = self._found[0]
            if keys.is_exact and keys.tells_apart:
                return keys.exceed(number)
        count = self.count()
        return count.number > number or (False if count.is_exact else None)

    def _count_among_some(self) -> Count:
        """Count those among some keys of one condition that meet the others too.

        They must do to say how many there are at least, or each page would take longer for the sake
        of a number.
        """
        sides = [(self._found[0], self._most)]
        if len(self._narrowings) > 1:
            # The last first: sight, if it is among them, leaves most out.
            last_first = self._found[::-1]
            sides[:0] = [(one, most) for most in _SAMPLES for one in last_first]
        number = 0
        for (narrowing, keys), most in sides:
            some = AmongKeys("pk", keys.limited(most))
            found = self._meeting_too(narrowing, keys).filter(some)
            number = max(number, count_up_to(found, self._limit).number)
            if number > _TELLING:
                break
        return Count(number, is_exact=False)

    def _meeting_too(self, narrowing: Narrowing, keys: Keys) -> QuerySet[Any]:
        """Return what is still asked of rows that were found by the keys of one condition."""
        return _meeting(self._left_by(narrowing, keys), _without_known(self._narrowings, narrowing))

    def _left_by(self, narrowing: Narrowing, keys: Keys) -> QuerySet[Any]:
        """Return the rows among which others are asked: if the keys tell what is in sight, all."""
        among = narrowing.among if narrowing.is_sight and keys.is_exact else None
        return self._rows if among is None else among


def _in_order(keys: Keys, sort: Sort) -> OrderedKeys | None:
    """Return where the keys stand in this order, if they do and are those of all rows."""
    is_all = keys.is_exact and keys.is_whole
    if is_all and keys.ordered and keys.ordered.column == sort.column:
        return keys.ordered
    return None


def _without_known(narrowings: Sequence[Narrowing], found: Narrowing) -> list[Narrowing]:
    """Return what is still to be asked of the rows whose keys `found` gave."""
    is_known = found.keys is not None and found.keys.is_exact
    return [one for one in narrowings if not (one is found and is_known)]


def _meeting(
    rows: QuerySet[Any], narrowings: Iterable[Narrowing], *, led_by: str | None = None
) -> QuerySet[Any]:
    """Return the rows that meet all conditions.

    `led_by` is the column whose index gives them, "" where they are found otherwise: that of another
    column would give too many. None leaves it to the database.
    """
    for narrowing in narrowings:
        column = narrowing.column
        if led_by is not None and column not in ("", led_by):
            rows = rows.alias(**{f"aside_{column}": Aside(F(column))})
            rows = rows.filter(renamed(narrowing.condition, column, f"aside_{column}"))
        else:
            rows = rows.filter(narrowing.condition)
    return rows


def _probed(narrowing: Narrowing) -> Narrowing:
    """Return the same where rows of other tables are looked for one by one, as they are asked for.

    PostgreSQL would rather read all such rows first, to join them, and then the whole table; but a
    page is full after a few. It leaves what has an OFFSET as it is.
    """
    if connection.vendor != "postgresql":
        return narrowing
    return replace(narrowing, condition=changed(narrowing.condition, _fenced))


def _fenced(part: Any) -> Any:
    if not isinstance(part, Exists):
        return part
    fenced = part.copy()
    fenced.template = "EXISTS(%(subquery)s OFFSET 0)"
    return fenced
