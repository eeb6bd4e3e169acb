"""The measured requests of the API, generated from the lists, their fields and parameters."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations
from urllib.parse import urlencode

from bench.million.api_lists import ApiList, api_lists
from bench.million.api_values import ListValues, list_values, values_of
from bench.million.people import API_ADMINISTRATOR, API_DEPARTMENT, API_MANY_RULES
from bench.million.rows import ROWS, WORST

# Lists that grow to millions of rows. Others have one value for each filter, and fewer combinations.
_LARGE = ("service-accounts", "access-rules", "access-rules/count", "audit/log")
# Lists that require a permission on the account.
_OF_THE_ACCOUNT = ("audit/log", "deleted-service-accounts")
_ORDERS = (("asc", "up"), ("desc", "down"))


class Position(Enum):
    """Which page of a list is requested."""

    FIRST = ""
    DEEP = "deep offset"
    LAST = "last offset"
    NEXT = "next page"
    NEXT_OF_DEEP = "deep offset, next page"

    @property
    def is_cursor(self) -> bool:
        return self in (Position.NEXT, Position.NEXT_OF_DEEP)


@dataclass(frozen=True)
class Case:
    """A request. `own` are the contract's own parameters; `detail` is the ID of a single object.
    `has_deleted`: the list includes deleted rows.

    `is_worst` marks conditions that match many rows each, and hardly any together.
    """

    of: ApiList
    what: str
    caller: str = API_ADMINISTRATOR
    has_deleted: bool = False
    own: tuple[tuple[str, str], ...] = ()
    always: tuple[tuple[str, str], ...] = ()
    filters: tuple[str, ...] = ()
    search: str = ""
    sort: str = ""
    order: str = ""
    position: Position = Position.FIRST
    detail: str = ""
    rows: int = ROWS
    is_worst: bool = False

    @property
    def name(self) -> str:
        """The name of the row."""
        caller = " of a department" if self.caller == API_DEPARTMENT else ""
        what = ", ".join(part for part in (self.what, self.position.value) if part)
        deleted = " with deleted rows" if self.has_deleted else ""
        return f"API {self.of.name}{caller}{deleted}: {what or 'first page'}"

    @property
    def is_filtered(self) -> bool:
        """Whether the total is not that of all visible rows."""
        return bool(self.filters or self.search or (self.own and not self.has_deleted))

    def address(self, offset: int = 0) -> str:
        """Return the URL of the page at `offset`."""
        if self.detail:
            return f"{self.of.path}/{self.detail}"
        query = [*self.always, *self.own, *(("filterBy", condition) for condition in self.filters)]
        if self.search:
            query.append(("search", self.search))
        if self.sort:
            query += [("sortBy", self.sort), ("sortOrder", self.order)]
        if not self.of.counts:
            query += [("limit", str(self.rows)), ("offset", str(offset))]
        return f"{self.of.path}?{urlencode(query)}"


def cases() -> list[Case]:
    """Return all requests. Needs the database for IDs and times."""
    all_values = list_values()
    return [
        case for of_list in api_lists() for case in _cases(of_list, values_of(of_list, all_values))
    ]


def _cases(of_list: ApiList, values: ListValues) -> Iterator[Case]:
    caller = API_MANY_RULES if of_list.name.startswith("me/") else API_ADMINISTRATOR
    first = Case(of_list, "", caller=caller, always=tuple(values.always.items()))
    if of_list.counts:
        yield replace(first, what="all")
    else:
        yield from _at(first, Position)
        yield from _sorted(of_list, first)
        yield from _exact(values, first)
    if of_list.name == "access-rules":
        most = replace(first, rows=500, what="500 rows, sort by scopeName, up")
        yield replace(most, sort="scopeName", order="asc")
    yield from _filtered(of_list, values.fields, first)
    yield from _with_parameters(of_list, values, first)
    yield from _searches(values, first)
    if not of_list.counts:
        yield from _combined(of_list, values, first)
    if "includeDeleted" in of_list.parameters:
        yield from _with_deleted(of_list, values, first)
    if of_list.name != "permissions" and caller == API_ADMINISTRATOR:
        yield from _of_department(of_list, values, first)


def _with_deleted(of_list: ApiList, values: ListValues, case: Case) -> Iterator[Case]:
    """Yield the requests of a list that includes deleted rows."""
    case = replace(case, has_deleted=True, own=(("includeDeleted", "true"),))
    department = replace(case, caller=API_DEPARTMENT)
    if of_list.counts:
        yield from (replace(one, what="all") for one in (case, department))
    else:
        yield from _at(case, Position)
        yield from _at(department, (Position.FIRST, Position.LAST))
        yield from _sorted(of_list, case)
        yield from _exact(replace(values, detail=""), case)
    yield from _filtered(of_list, values.fields, case)
    yield from _searches(values, case)


def _at(case: Case, positions: Iterable[Position]) -> Iterator[Case]:
    for position in positions:
        yield replace(case, position=position)


def _sorted(of_list: ApiList, case: Case) -> Iterator[Case]:
    """Yield a case in each order, also at a deep offset and after it."""
    for sorted_case in _in_each_order(of_list, case):
        yield from _at(sorted_case, (Position.FIRST, Position.DEEP, Position.NEXT_OF_DEEP))


def _in_each_order(of_list: ApiList, case: Case) -> Iterator[Case]:
    for name in of_list.sorts:
        for order, word in _ORDERS:
            what = ", ".join(part for part in (case.what, f"sort by {name}, {word}") if part)
            yield replace(case, what=what, sort=name, order=order)


def _exact(values: ListValues, case: Case) -> Iterator[Case]:
    if values.exact:
        yield replace(case, what="exact name", filters=(values.exact,))
    if values.detail:
        yield replace(case, what="exact ID", detail=values.detail)


def _filtered(
    of_list: ApiList, fields: Mapping[str, Mapping[str, Mapping[str, str]]], case: Case
) -> Iterator[Case]:
    for name, operators in of_list.operators.items():
        for operator in operators:
            values = fields[name][operator]
            if of_list.name not in _LARGE:
                values = {key: values[key] for key in list(values)[:1]}
            for matches, value in values.items():
                yield replace(
                    case,
                    what=f"filter {name}{operator}, {matches}",
                    filters=(f"{name}{operator}{value}",),
                )


def _with_parameters(of_list: ApiList, values: ListValues, case: Case) -> Iterator[Case]:
    for name in of_list.parameters:
        for matches, value in values.parameters.get(name, {}).items():
            yield replace(case, what=f"{name}, {matches}", own=((name, value),))


def _searches(values: ListValues, case: Case) -> Iterator[Case]:
    for matches, term in values.searches.items():
        yield replace(case, what=f"search, {matches}", search=term)


def _combined(of_list: ApiList, values: ListValues, case: Case) -> Iterator[Case]:
    """Yield searches and filters with many matches in each order, and several conditions."""
    is_large = of_list.name in _LARGE
    for many in _many(values, case):
        yield from _at(many, (Position.DEEP, Position.NEXT))
        if is_large:
            yield from _in_each_order(of_list, many)
    if values.common:
        for matches in ("few", "many", "none"):
            yield replace(
                case, what=f"search, {matches}, filter {values.common}",
                search=values.searches[matches], filters=(values.common,),
            )  # fmt: skip
    if values.exact and "two characters" in values.searches:
        term = values.searches["two characters"]
        yield replace(
            case, what="search, two characters, exact name", search=term, filters=(values.exact,)
        )
    if is_large:
        yield from _pairs(of_list, values, case)
    for number, conditions in enumerate(values.disjoint, 1):
        what = f"{WORST}, {number}"
        worst = replace(case, what=what, filters=conditions, is_worst=True)
        yield worst
        yield from _in_each_order(of_list, worst)


def _many(values: ListValues, case: Case) -> Iterator[Case]:
    yield replace(case, what="search, many", search=values.searches["many"])
    if values.common:
        yield replace(case, what=f"filter {values.common}", filters=(values.common,))


def _pairs(of_list: ApiList, values: ListValues, case: Case) -> Iterator[Case]:
    """Yield each pair of fields with values that many rows match."""
    many = {
        name: f"{name}{operator}{value}"
        for name in of_list.operators
        for operator in (">=", "=@", "==")
        if (value := values.fields[name].get(operator, {}).get("many"))
    }
    for first, second in combinations(many, 2):
        yield replace(
            case, what=f"filters {first} and {second}, many", filters=(many[first], many[second])
        )


def _of_department(of_list: ApiList, values: ListValues, case: Case) -> Iterator[Case]:
    """Yield the requests of a caller who sees only a department."""
    if of_list.name in _OF_THE_ACCOUNT:
        return
    theirs = replace(case, caller=API_DEPARTMENT)
    if of_list.counts:
        yield replace(theirs, what="all")
    else:
        yield from _at(theirs, (Position.FIRST, Position.DEEP, Position.NEXT, Position.LAST))
        yield from _in_each_order(of_list, theirs)
    yield from _searches(values, theirs)
    if of_list.name not in _LARGE:
        return
    for found in _filtered(of_list, values.fields, theirs):
        if any(f"{operator}," in found.what for operator in ("==", "=@", "<=", ">=")):
            yield found
