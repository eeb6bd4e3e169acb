"""What a file of scopes would change: its entries laid over the tree as it stands.

An id identifies a scope; without one its place does: its parent and its name. Nothing is written
here. What is wrong with the result is said by `validation`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.utils.functional import cached_property

from accessrules.authorization.breadcrumbs import SEPARATOR
from accessrules.models import Scope, scope_label
from accessrules.scope_import.rows import Entry, Place
from runai_access.db.normalization import normalize

TYPES = (Scope.Type.CLUSTER, Scope.Type.DEPARTMENT, Scope.Type.PROJECT)


@dataclass(eq=False)
class Node:
    """A scope as it will be: `scope` is how it is now, `entry` what the file says of it."""

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
        """The scope that it stands below; only the account has none."""
        assert self.parent is not None  # noqa: S101
        return self.parent

    @property
    def now(self) -> Scope:
        """The scope as it is, or as it has been made."""
        assert self.scope is not None  # noqa: S101  # asked where that is so
        return self.scope

    @property
    def place(self) -> Place:
        """Where the file names it, if it does."""
        return self.entry.place if self.entry else Place()

    @property
    def is_kept(self) -> bool:
        """Whether it is there already, and keeps its name and parent."""
        if self.scope is None:
            return False
        return self.scope.name == self.name and self.scope.parent == self.above.scope

    @cached_property
    def reference(self) -> str:
        """The names from the cluster down, as a file may name it; nothing for the account."""
        if self.parent is None:
            return ""
        return SEPARATOR.join(filter(None, (self.parent.reference, spaced(self.name))))


def spaced(text: str) -> str:
    """Return names with one space around each slash, so that "a/b" is "a / b"."""
    return SEPARATOR.join(name.strip() for name in text.split(SEPARATOR.strip()))


@dataclass(frozen=True)
class Plan:
    """What is to be done. `nodes` are all scopes that there will be, from the clusters down."""

    nodes: list[Node]
    created: list[Node] = field(default_factory=list)
    renamed: list[Node] = field(default_factory=list)
    moved: list[Node] = field(default_factory=list)
    removed: list[Node] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return not (self.created or self.renamed or self.moved or self.removed)

    def lines(self) -> Iterator[str]:
        """Yield the difference, a line for each change."""
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
        """Return how much of each there is."""
        counts = {
            "create": self.created,
            "rename": self.renamed,
            "move": self.moved,
            "remove": self.removed,
        }
        return ", ".join(f"{len(nodes):,} to {verb}" for verb, nodes in counts.items() if nodes)


@dataclass(frozen=True)
class Layout:
    """The tree as it will be, and the entries that found no place in it."""

    nodes: list[Node]
    scopes: list[Scope]
    lost: dict[Entry, bool]
    """The entries whose parent was not found, and whether that is because several are named so."""

    def plan(self, *, remove: bool) -> Plan:
        """Return what leads there; with `remove`, also that what no entry names goes."""
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
    """Lay the entries over the tree, level by level. No two have the same type and id."""
    scopes = list(Scope.objects.filter(depth__gte=1).order_by("depth", "path"))
    of_pk: dict[int | None, Scope] = {scope.pk: scope for scope in scopes}
    for scope in scopes:
        if scope.parent_id in of_pk:
            scope.parent = of_pk[scope.parent_id]
    of_type: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_type[entry.type].append(entry)
    account = Node(Scope.Type.TENANT, scopes[0].name, scope=scopes[0])
    level = _Level([account], "")
    layout = Layout(nodes=[], scopes=scopes, lost={})
    for type_ in TYPES:
        placing = _Placing(level, [scope for scope in scopes if scope.type == type_], layout.lost)
        level = _Level(placing.nodes(type_, of_type[type_]), account.name)
        layout.nodes.extend(level.nodes)
    return layout


class _Level:
    """All scopes of one type, as a file may name them."""

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
        """Return the one scope of that id, of those names from the cluster down, or of that name.

        Names that are exactly these come before those that compare equal.
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
        """Return names without that of the account, with which the console shows them."""
        return names.removeprefix(self._prefix)

    def is_ambiguous(self, text: str) -> bool:
        """Return whether there are several of those names."""
        return normalize(spaced(text)) in self._by_equal_names and self.find(text) is None


def _enter(index: dict[str, Node | None], keys: set[str], node: Node) -> None:
    """Enter a node under its keys; a key of several nodes leads to none."""
    for key in keys:
        index[key] = None if key in index else node


def _id(node: Node) -> str:
    return node.scope.uid if node.scope else (node.entry.id if node.entry else "")


class _Placing:
    """Gives each entry of one type its place, below the level above, and its scope if it has one."""

    def __init__(self, above: _Level, scopes: list[Scope], lost: dict[Entry, bool]) -> None:
        self._above = above
        self._lost = lost
        self._scopes = scopes
        self._by_id = {scope.uid: scope for scope in scopes}
        self._by_place: dict[tuple[int | None, str], Scope] = {}
        for scope in scopes:
            self._by_place.setdefault((scope.parent_id, normalize(scope.name)), scope)
        # Exactly that name comes before one that compares equal.
        self._by_place |= {(scope.parent_id, scope.name): scope for scope in scopes}

    def nodes(self, type_: Scope.Type, entries: list[Entry]) -> list[Node]:
        """Return a node for each entry that has a place, and for each scope that none names."""
        ids = {entry.id for entry in entries}
        nodes = []
        taken: set[int | None] = set()
        for entry in entries:
            parent = self._above.find(entry.parent)
            if parent is None:
                self._lost[entry] = self._above.is_ambiguous(entry.parent)
                continue
            scope = self._by_id.get(entry.id) if entry.id else self._at(parent, entry.name)
            if not entry.id and scope and (scope.uid in ids or scope.pk in taken):
                scope = None  # another entry names it
            taken.add(scope.pk if scope else None)
            nodes.append(Node(type_, entry.name, parent, scope, entry))
        rest = [scope for scope in self._scopes if scope.pk not in taken]
        return nodes + [
            Node(type_, scope.name, self._above.of_scope[scope.parent_id], scope) for scope in rest
        ]

    def _at(self, parent: Node, name: str) -> Scope | None:
        if parent.scope is None:
            return None
        equal = self._by_place.get((parent.scope.pk, normalize(name)))
        return self._by_place.get((parent.scope.pk, name), equal)
