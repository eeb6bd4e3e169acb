"""What a role permits as a table: entities by View, Edit, Create, Delete; one role, or two beside
each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from accessrules.authorization.catalog import ACCOUNT_ONLY, PREDEFINED_ROLES, RESOURCE_TYPES
from accessrules.authorization.grants import permissions_of
from accessrules.models import Role

# The console's words for the four actions, in its order.
COLUMNS = {"View": "read", "Edit": "update", "Create": "create", "Delete": "delete"}
_GROUPS = {
    "organization": "Organization",
    "physical-resource": "Hardware",
    "iam": "Access",
    "dashboard": "Dashboards",
    "workload": "Workloads",
    "workload-asset": "Workload assets",
}


@dataclass(frozen=True)
class MatrixCell:
    """Whether one role permits one thing with one entity, and whether the roles differ in it."""

    word: str
    is_permitted: bool
    differs: bool


@dataclass(frozen=True)
class MatrixRow:
    """One entity. `held` has for each of `roles` the words of what it permits with it.

    `types` are the resource types behind the entity's name; they are told where another row has the
    same name.
    """

    name: str
    types: tuple[str, ...]
    roles: tuple[str, ...]
    held: tuple[frozenset[str], ...]
    shares_name: bool = False

    @property
    def on_account_only(self) -> bool:
        """Whether a rule gives this only on the account."""
        return ACCOUNT_ONLY.issuperset(self.types)

    @property
    def cells(self) -> list[list[MatrixCell]]:
        """For each role its four cells."""
        return [
            [MatrixCell(word, word in held, not self._is_common(word)) for word in COLUMNS]
            for held in self.held
        ]

    @property
    def is_same(self) -> bool:
        """Whether every role permits the same."""
        return len(set(self.held)) == 1

    @property
    def differences(self) -> list[str]:
        """What one role permits and the other does not, as sentences."""
        own = [
            [word.lower() for word in COLUMNS if word in held and not self._is_common(word)]
            for held in self.held
        ]
        return [
            f"Only {role}: {', '.join(words)}"
            for role, words in zip(self.roles, own, strict=True)
            if words
        ]

    def _is_common(self, word: str) -> bool:
        return len({word in held for held in self.held}) == 1


@dataclass(frozen=True)
class MatrixGroup:
    """Entities that belong together, under a heading."""

    title: str
    rows: list[MatrixRow]


def matrix(*roles: Role, only_differences: bool = False) -> list[MatrixGroup]:
    """Return the table of what these roles permit.

    Every entity that any predefined role speaks of has its row, so that the tables of two roles
    read the same; with `only_differences` just those in which the roles differ.
    """
    groups = []
    for key, title in _GROUPS.items():
        rows = [row for row in _rows(key, roles) if not (only_differences and row.is_same)]
        if rows:
            groups.append(MatrixGroup(title, rows))
    return groups


def count_of(role: Role) -> int:
    """Return how many permissions a role has."""
    return len(permissions_of(role))


def advantage(one: Role, other: Role) -> int:
    """Return how many permissions `one` has that `other` lacks."""
    return len(permissions_of(one) - permissions_of(other))


def _rows(group: str, roles: Sequence[Role]) -> Iterator[MatrixRow]:
    """Yield the rows of one group; types of one name that are permitted alike share a row."""
    permissions = [permissions_of(role) for role in roles]
    mentioned = {type_ for role in PREDEFINED_ROLES for type_ in role.permissions}
    mentioned |= {type_ for held in permissions for _, type_ in held}
    types = [key for key in mentioned if RESOURCE_TYPES[key].group == group]
    held = {
        key: tuple(
            frozenset(word for word, action in COLUMNS.items() if (action, key) in theirs)
            for theirs in permissions
        )
        for key in types
    }
    types.sort(key=lambda key: (RESOURCE_TYPES[key].name, [*map(sorted, held[key])], key))
    for name, namesakes in groupby(types, key=lambda key: RESOURCE_TYPES[key].name):
        alike = [list(some) for _, some in groupby(namesakes, key=lambda key: held[key])]
        for some in alike:
            names = tuple(role.name for role in roles)
            yield MatrixRow(name, tuple(some), names, held[some[0]], shares_name=len(alike) > 1)
