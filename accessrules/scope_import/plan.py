"""The plan of an import: the differences between a scope file and the current tree.

A scope is identified by its id, or without one by its parent and name. This module writes nothing;
`validation` finds the errors.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.utils.functional import cached_property

from accessrules.authorization.breadcrumbs import SEPARATOR
from accessrules.authorization.scope_policy import CREATABLE_TYPES
from accessrules.models import Scope, scope_label
from accessrules.scope_import.rows import Entry, Place
from runai_access.db.normalization import normalize


@dataclass(eq=False)
class Node:
    """A scope after the import: `scope` is its current row, `entry` its entry in the file."""

    type: Scope.Type
    name: str
    parent: "Node | None" = None
    scope: Scope | None = None
    entry: Entry | None = None

    @property
    def label(self) -> str:
        return scope_label(self.type, self.name)

    @property
    def above(self) -> "Node":
        """The parent; only the account has none."""
        assert self.parent is not None  # noqa: S101
        return self.parent

    @property
    def now(self) -> Scope:
        """The current row, or the new one once it is created."""
        assert self.scope is not None  # noqa: S101  # callers know that there is one
        return self.scope

    @property
    def place(self) -> Place:
        """The place of its entry in the file, if it has one."""
        return self.entry.place if self.entry else Place()

    @property
    def is_kept(self) -> bool:
        """Whether it exists and keeps its name and parent."""
        if self.scope is None:
            return False
        return self.scope.name == self.name and self.scope.parent == self.above.scope

    @cached_property
    def reference(self) -> str:
        """The names from the cluster down, as in a file; empty for the account."""
        if self.parent is None:
            return ""
        return SEPARATOR.join(filter(None, (self.parent.reference, spaced(self.name))))


def spaced(text: str) -> str:
    """Return names with one space around each slash: "a/b" becomes "a / b"."""
    return SEPARATOR.join(name.strip() for name in text.split(SEPARATOR.strip()))


@dataclass(frozen=True)
class Plan:
    """The changes of an import. `nodes` are all scopes after the import, from the clusters down."""

    nodes: list[Node]
    created: list[Node] = field(default_factory=list)
    renamed: list[Node] = field(default_factory=list)
    moved: list[Node] = field(default_factory=list)
    removed: list[Node] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.created or self.renamed or self.moved or self.removed)

    def lines(self) -> Iterator[str]:
        """Yield one line of text for each change."""
        for node in self.created:
            yield f"create  {node.label} in {node.above.label}"
        for node in self.renamed:
            yield f"rename  {node.now.label} to {node.name}"
        for node in self.moved:
            before = node.now.parent
            yield f"move    {node.label} from {before and before.label} to {node.above.label}"
        for node in self.removed:
            yield f"remove  {node.label} from {node.above.label}"

    def summary(self) -> str:
        """Return the number of changes of each type."""
        counts = {
            "create": self.created,
            "rename": self.renamed,
            "move": self.moved,
            "remove": self.removed,
        }
        return ", ".join(f"{len(nodes):,} to {verb}" for verb, nodes in counts.items() if nodes)


@dataclass(frozen=True)
class Layout:
    """The tree after the import, and the entries without a place in it."""

    nodes: list[Node]
    scopes: list[Scope]
    lost: dict[Entry, bool]
    """The entries without a parent: True if the name of the parent is ambiguous."""

    def plan(self, *, remove: bool) -> Plan:
        """Return the plan. With `remove`, scopes without an entry are removed."""
        kept = [node for node in self.nodes if node.entry or not remove]
        existing = [node for node in kept if node.scope is not None]
        return Plan(
            nodes=kept,
            created=[node for node in kept if node.scope is None],
            renamed=[node for node in existing if node.now.name != node.name],
            moved=[node for node in existing if node.above.scope != node.now.parent],
            removed=[node for node in reversed(self.nodes) if remove and not node.entry],
        )


def lay_out(entries: Iterable[Entry]) -> Layout:
    """Place the entries in the tree, level by level. Expects unique types and ids."""
    scopes = list(Scope.objects.filter(depth__gte=1).order_by("depth", "path"))
    by_pk: dict[int | None, Scope] = {scope.pk: scope for scope in scopes}
    for scope in scopes:
        if scope.parent_id in by_pk:
            scope.parent = by_pk[scope.parent_id]
    by_type: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_type[entry.type].append(entry)
    account = Node(Scope.Type.TENANT, scopes[0].name, scope=scopes[0])
    level = _Level([account], "")
    layout = Layout(nodes=[], scopes=scopes, lost={})
    for type_ in CREATABLE_TYPES:
        placing = _Placing(level, [scope for scope in scopes if scope.type == type_], layout.lost)
        level = _Level(placing.nodes(type_, by_type[type_]), account.name)
        layout.nodes.extend(level.nodes)
    return layout


class _Level:
    """All scopes of one type, indexed by the references that a file can use."""

    def __init__(self, nodes: list[Node], account: str) -> None:
        self.nodes = nodes
        self._prefix = f"{spaced(account)}{SEPARATOR}"
        self.of_scope: dict[int | None, Node] = {
            node.scope.pk: node for node in nodes if node.scope
        }
        self._by_id = {_id(node): node for node in nodes}
        self._by_names: dict[str, Node | None] = {}
        self._by_equal_names: dict[str, Node | None] = {}
        for node in nodes:
            references = {node.reference, spaced(node.name)}
            _enter(self._by_names, references, node)
            _enter(self._by_equal_names, set(map(normalize, references)), node)

    def find(self, text: str) -> Node | None:
        """Return the scope with this id, full name or unambiguous name.

        Exact names take precedence over equal names.
        """
        by_id = self._by_id.get(text) if text else None
        names = spaced(text)
        return (
            by_id
            or self._by_names.get(names)
            or self._by_names.get(self._short(names))
            or self._by_equal_names.get(normalize(names))
            or self._by_equal_names.get(normalize(self._short(names)))
        )

    def _short(self, names: str) -> str:
        """Return the names without that of the account, which the console shows first."""
        return names.removeprefix(self._prefix)

    def is_ambiguous(self, text: str) -> bool:
        """Return whether several scopes have this name."""
        return normalize(spaced(text)) in self._by_equal_names and self.find(text) is None


def _enter(index: dict[str, Node | None], keys: set[str], node: Node) -> None:
    """Add a node to the index under its keys. A key of several nodes maps to None."""
    for key in keys:
        index[key] = None if key in index else node


def _id(node: Node) -> str:
    return node.scope.uid if node.scope else (node.entry.id if node.entry else "")


class _Placing:
    """Assigns a parent, and the existing scope if there is one, to each entry of one type."""

    def __init__(self, above: _Level, scopes: list[Scope], lost: dict[Entry, bool]) -> None:
        self._above = above
        self._lost = lost
        self._scopes = scopes
        self._by_id = {scope.uid: scope for scope in scopes}
        self._by_place: dict[tuple[int | None, str], Scope] = {}
        for scope in scopes:
            self._by_place.setdefault((scope.parent_id, normalize(scope.name)), scope)
        # Exact names take precedence over equal names.
        self._by_place |= {(scope.parent_id, scope.name): scope for scope in scopes}

    def nodes(self, type_: Scope.Type, entries: list[Entry]) -> list[Node]:
        """Return a node for each entry with a parent, and for each scope without an entry."""
        ids = {entry.id for entry in entries}
        nodes = []
        matched: set[int | None] = set()
        for entry in entries:
            parent = self._above.find(entry.parent)
            if parent is None:
                self._lost[entry] = self._above.is_ambiguous(entry.parent)
                continue
            scope = self._by_id.get(entry.id) if entry.id else self._at(parent, entry.name)
            if not entry.id and scope and (scope.uid in ids or scope.pk in matched):
                scope = None  # another entry has this scope
            matched.add(scope.pk if scope else None)
            nodes.append(Node(type_, entry.name, parent, scope, entry))
        rest = [scope for scope in self._scopes if scope.pk not in matched]
        return nodes + [
            Node(type_, scope.name, self._above.of_scope[scope.parent_id], scope) for scope in rest
        ]

    def _at(self, parent: Node, name: str) -> Scope | None:
        if parent.scope is None:
            return None
        equal = self._by_place.get((parent.scope.pk, normalize(name)))
        return self._by_place.get((parent.scope.pk, name), equal)
