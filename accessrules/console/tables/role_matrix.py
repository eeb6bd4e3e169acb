"""Permission matrix: entities by View, Edit, Create and Delete, for one role or two to compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from accessrules.authorization.catalog import ACCOUNT_ONLY, PREDEFINED_ROLES, RESOURCE_TYPES
from accessrules.authorization.grants import ACTION_LABELS, permissions_of
from accessrules.models import Role

# Column title to action.
COLUMNS = {label: action for action, label in ACTION_LABELS.items()}
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
    """One action on one entity: whether the role permits it, and whether the roles differ."""

    column: str
    is_permitted: bool
    differs: bool


@dataclass(frozen=True)
class MatrixRow:
    """One entity. `held` has, for each of `roles`, the columns of the actions that it permits.

    `types` are the resource types with this name. The row shows them if another row has the same name.
    """

    name: str
    types: tuple[str, ...]
    roles: tuple[str, ...]
    held: tuple[frozenset[str], ...]
    shares_name: bool = False

    @property
    def on_account_only(self) -> bool:
        """Whether only access rules on the account grant this."""
        return ACCOUNT_ONLY.issuperset(self.types)

    @property
    def cells(self) -> list[list[MatrixCell]]:
        """The four cells of each role."""
        return [
            [MatrixCell(column, column in held, not self._is_common(column)) for column in COLUMNS]
            for held in self.held
        ]

    @property
    def is_same(self) -> bool:
        """Whether all roles permit the same actions."""
        return len(set(self.held)) == 1

    @property
    def differences(self) -> list[str]:
        """The actions that only one of the roles permits, one sentence for each role."""
        exclusive = [
            [column.lower() for column in COLUMNS if column in held and not self._is_common(column)]
            for held in self.held
        ]
        return [
            f"Only {role}: {', '.join(columns)}"
            for role, columns in zip(self.roles, exclusive, strict=True)
            if columns
        ]

    def _is_common(self, column: str) -> bool:
        return len({column in held for held in self.held}) == 1


@dataclass(frozen=True)
class MatrixGroup:
    """Related entities under a heading."""

    title: str
    rows: list[MatrixRow]


def matrix(*roles: Role, only_differences: bool = False) -> list[MatrixGroup]:
    """Return the permission matrix of these roles.

    Each entity that any predefined role mentions has a row, so all matrices have the same rows.
    `only_differences` keeps only the rows in which the roles differ.
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


def count_exclusive(role: Role, other: Role) -> int:
    """Return how many permissions `role` has that `other` lacks."""
    return len(permissions_of(role) - permissions_of(other))


def _rows(group: str, roles: Sequence[Role]) -> Iterator[MatrixRow]:
    """Yield the rows of one group. Types with the same name and the same permissions share a row."""
    permissions = [permissions_of(role) for role in roles]
    mentioned = {type_ for role in PREDEFINED_ROLES for type_ in role.permissions}
    mentioned |= {type_ for held in permissions for _, type_ in held}
    types = [key for key in mentioned if RESOURCE_TYPES[key].group == group]
    held = {
        key: tuple(
            frozenset(column for column, action in COLUMNS.items() if (action, key) in permitted)
            for permitted in permissions
        )
        for key in types
    }
    types.sort(key=lambda key: (RESOURCE_TYPES[key].name, [*map(sorted, held[key])], key))
    for name, namesakes in groupby(types, key=lambda key: RESOURCE_TYPES[key].name):
        equal = [list(keys) for _, keys in groupby(namesakes, key=lambda key: held[key])]
        for keys in equal:
            names = tuple(role.name for role in roles)
            yield MatrixRow(name, tuple(keys), names, held[keys[0]], shares_name=len(equal) > 1)
