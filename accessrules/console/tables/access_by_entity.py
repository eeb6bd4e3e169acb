"""Effective access by entity: what a subject can do, in its widest scope, and the narrower grants."""

from collections.abc import Iterable
from dataclasses import dataclass

from accessrules.authorization.effective_access import Access
from accessrules.authorization.grants import ACTION_LABELS
from runai_access.db.normalization import normalize


@dataclass(frozen=True)
class ActionCell:
    """One action on an entity: the grant in the widest scope, if any.

    `is_narrower` says that the action is granted only in other scopes than the widest of the entity,
    in `more` of the same level besides that of `grant`.
    """

    label: str
    grant: Access | None
    is_narrower: bool
    more: int

    @property
    def answer(self) -> str:
        return "Yes" if self.grant else "No"

    @property
    def scopes(self) -> str:
        """The scopes in words: "cluster east", or "project training and 2 more"."""
        label = self.grant.rule.scope.label if self.grant else ""
        return f"{label} and {self.more} more" if self.more else label


@dataclass(frozen=True)
class EntityAccess:
    """The access of a subject to one entity: `grants`, the one with the widest scope first.

    An entity can be several resource types, such as the data sources; these are `types`.
    """

    name: str
    types: list[str]
    grants: list[Access]

    @property
    def widest(self) -> Access:
        return self.grants[0]

    @property
    def others(self) -> list[tuple[Access, str]]:
        """The other grants, each with the labels of its actions."""
        return [(grant, labels_of(grant)) for grant in self.grants[1:]]

    @property
    def other_texts(self) -> list[str]:
        """The other grants in words: "Viewer in project training through group ops: View"."""
        return [
            f"{grant.rule.role.name} in {grant.rule.scope.label}"
            f"{f' through group {grant.through}' if grant.through else ''}: {labels}"
            for grant, labels in self.others
        ]

    @property
    def cells(self) -> list[ActionCell]:
        """View, Edit, Create and Delete."""
        widest = self.widest.rule.scope.path
        cells = []
        for action, label in ACTION_LABELS.items():
            granting = [grant for grant in self.grants if action in grant.actions]
            grant = granting[0] if granting else None
            level = len(grant.rule.scope.path) if grant else 0
            paths = {other.rule.scope.path for other in granting}
            more = sum(len(path) == level for path in paths) - 1 if grant else 0
            is_narrower = grant is not None and grant.rule.scope.path != widest
            cells.append(ActionCell(label, grant, is_narrower, more))
        return cells

    @property
    def summary(self) -> list[str]:
        """The access in words, to compare subjects: "View, Edit in account acme"."""
        by_scope: dict[str, list[str]] = {}
        for cell in self.cells:
            if cell.grant is not None:
                by_scope.setdefault(cell.scopes, []).append(cell.label)
        return [f"{', '.join(labels)} in {scope}" for scope, labels in by_scope.items()]

    def matches(self, search: str, action: str) -> bool:
        """Return whether the entity, a role or a scope contains `search`, and `action` is granted."""
        texts = [self.name, *self.types]
        for grant in self.grants:
            texts += [grant.rule.role.name, grant.rule.scope.label, grant.through]
        is_granted = not action or any(action in grant.actions for grant in self.grants)
        return is_granted and any(normalize(search) in normalize(text) for text in texts)


@dataclass(frozen=True)
class Difference:
    """An entity that two subjects can access differently, with the access of each in words."""

    name: str
    of_first: list[str]
    of_second: list[str]


def by_entity(found: Iterable[Access]) -> list[EntityAccess]:
    """Return one row for each entity. Types with the same name and the same grants share a row."""
    grants: dict[str, list[Access]] = {}
    for access in found:
        grants.setdefault(access.resource_type, []).append(access)
    rows: dict[tuple[object, ...], EntityAccess] = {}
    for type_, of_type in grants.items():
        # The widest scope first, then the most actions.
        of_type.sort(key=lambda grant: (len(grant.rule.scope.path), -len(grant.actions)))
        name = of_type[0].resource_name
        key = (name, *((grant.rule.pk, grant.actions) for grant in of_type))
        rows.setdefault(key, EntityAccess(name, [], of_type)).types.append(type_)
    return sorted(rows.values(), key=lambda row: (row.name, row.types))


def differences(first: Iterable[EntityAccess], second: Iterable[EntityAccess]) -> list[Difference]:
    """Return the entities to which two subjects have different access."""
    accesses = [_by_type(rows) for rows in (first, second)]
    found: dict[tuple[object, ...], Difference] = {}
    for type_ in sorted({*accesses[0], *accesses[1]}):
        rows = [access.get(type_) for access in accesses]
        summaries = [row.summary if row else [] for row in rows]
        if summaries[0] != summaries[1]:
            name = next(row.name for row in rows if row)
            found.setdefault((name, *map(tuple, summaries)), Difference(name, *summaries))
    return sorted(found.values(), key=lambda difference: difference.name)


def labels_of(grant: Access) -> str:
    """Return the labels of the actions that a grant permits."""
    return ", ".join(label for action, label in ACTION_LABELS.items() if action in grant.actions)


def _by_type(rows: Iterable[EntityAccess]) -> dict[str, EntityAccess]:
    return {type_: row for row in rows for type_ in row.types}
