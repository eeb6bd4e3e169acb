"""What keeps a file of scopes from being imported, beyond what is wrong with single lines of it."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from django.db.models import Count

from accessrules.models import AccessRule, Scope
from accessrules.scope_import.plan import Layout, Node, Plan
from accessrules.scope_import.readers import Contents
from accessrules.scope_import.rows import Entry, Fault, Place, shown
from runai_access.db.normalization import normalize

BATCH_SIZE = 500
_SHOWN_OF_A_CIRCLE = 4
_PARENT_TYPE = {child: parent for parent, child in Scope.CHILD_TYPE.items()}


def without_repeated(entries: Iterable[Entry], faults: list[Fault]) -> list[Entry]:
    """Return the entries without those whose type and id an earlier one has; each is a fault."""
    kept: list[Entry] = []
    by_id: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first = by_id.setdefault((entry.type, entry.id), entry) if entry.id else entry
        if first is entry:
            kept.append(entry)
        else:
            message = f"the {entry.type} with the id {entry.id} is on {first.place} already."
            faults.append(Fault(entry.place, message))
    return kept


def faults_of_places(plan: Plan) -> Iterator[Fault]:
    """Yield a fault for each entry whose name, or an equal one, is taken where it would stand."""
    places: dict[tuple[int, str], Node] = {}
    for node in sorted(plan.nodes, key=lambda node: node.place):
        first = places.setdefault((id(node.parent), normalize(node.name)), node)
        # Of two that are there already an earlier version made the second; the file changes neither.
        if first is node or (first.is_kept and node.is_kept):
            continue
        place = f"{shown(node.name)} in {node.above.label}"
        if first.entry:
            yield Fault(node.place, f"the name {place} is on {first.place} already.")
        else:
            other = f"give the id {first.now.uid} to mean that one."
            yield Fault(node.place, f"the name {place} is taken by another {first.type}; {other}")


def faults_of_removal(plan: Plan, named: Container[tuple[str, str]]) -> Iterator[Fault]:
    """Yield what keeps scopes from being removed: rules in them, and entries below them."""
    if not any(node.entry for node in plan.nodes):
        yield Fault(
            Place(1), "the file names no scope, and what it does not name would be removed."
        )
        return
    # Those whose entry is faulty are named all the same.
    leaving = [node for node in plan.removed if (node.type, node.now.uid) not in named]
    rules = _living_rules(node.now.pk for node in leaving)
    for node in leaving:
        if count := rules.get(node.now.pk):
            things = f"{count} access rule{'s' if count > 1 else ''}"
            message = f"{node.label} has {things}; delete them first, or name it in the file."
            yield Fault(Place(), message)
    gone = set(map(id, leaving))
    for node in plan.nodes:
        if id(node.parent) in gone:
            yield Fault(node.place, f"{node.above.label}, its parent, is not in the file.")


def _living_rules(scope_pks: Iterable[int]) -> dict[int, int]:
    pks = list(scope_pks)
    counts: dict[int, int] = {}
    for start in range(0, len(pks), BATCH_SIZE):
        some = AccessRule.objects.living().filter(scope__in=pks[start : start + BATCH_SIZE])
        rows = some.order_by().values("scope").annotate(count=Count("pk"))
        counts.update({row["scope"]: row["count"] for row in rows})
    return counts


class LostEntries:
    """Says of each entry without a place why: a circle, a wrong level, nothing of that name."""

    def __init__(self, layout: Layout, contents: Contents) -> None:
        self._lost = layout.lost
        self._broken = contents.broken_ids
        self._entries: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in contents.entries:
            self._entries[entry.name].append(entry)
        for entry in contents.entries:
            if entry.id:
                self._entries[entry.id].insert(0, entry)
        self._scopes: defaultdict[str, list[Scope]] = defaultdict(list)
        for scope in layout.scopes:
            self._scopes[scope.name].append(scope)
            self._scopes[scope.uid].append(scope)

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each that is wrong itself: not for those below one that is."""
        edges = {entry: meant for entry in self._lost if (meant := self._meant(entry))}
        circles = _circles(edges)
        for entry in self._lost:
            meant = edges.get(entry)
            if entry in circles:
                yield Fault(entry.place, _circle(entry, circles[entry]))
            elif meant and meant in self._lost and meant.type == _PARENT_TYPE[entry.type]:
                continue
            elif problem := self._problem(entry):
                yield Fault(entry.place, problem)

    def _meant(self, entry: Entry) -> Entry | None:
        """Return the entry that is meant as the parent, of the right type if there is one."""
        found = self._entries.get(entry.parent, []) if entry.parent else []
        right = [other for other in found if other.type == _PARENT_TYPE[entry.type]]
        return next(iter([*right, *found]), None)

    def _problem(self, entry: Entry) -> str:
        wanted = _PARENT_TYPE[entry.type]
        words = "account" if wanted == Scope.Type.TENANT else str(wanted)
        if not entry.parent:
            return f"parent is missing: the {words} that it stands below."
        if entry.parent in self._broken:
            return ""
        parent = shown(entry.parent)
        if self._lost[entry]:
            return f"several {words}s are named {parent}; say which by its id or by all its names."
        if types := self._types(entry.parent):
            other = types[0].label.lower()
            article = "an" if words == "account" else "a"
            return f"a {entry.type} stands below {article} {words}, and {parent} is a {other}."
        return f"there is no {words} {parent}, neither in the file nor in the account."

    def _types(self, parent: str) -> list[Scope.Type]:
        types = [other.type for other in self._entries.get(parent, [])]
        return types + [Scope.Type(other.type) for other in self._scopes.get(parent, [])]


def _circles(edges: dict[Entry, Entry]) -> dict[Entry, list[Entry]]:
    """Return the circle of each entry that stands in one. Each entry is visited once."""
    circles: dict[Entry, list[Entry]] = {}
    visited: dict[Entry, Entry] = {}
    for start in edges:
        trail = []
        entry = start
        while entry in edges and entry not in visited:
            visited[entry] = start
            trail.append(entry)
            entry = edges[entry]
        if visited.get(entry) is start and entry in edges:
            circle = trail[trail.index(entry) :]
            circles.update(dict.fromkeys(circle, circle))
    return circles


def _circle(entry: Entry, circle: list[Entry]) -> str:
    if len(circle) == 1:
        return f"{shown(entry.name)} is below itself."
    shown_places = [other.place for other in circle[:_SHOWN_OF_A_CIRCLE]]
    more = ["…"] if len(circle) > _SHOWN_OF_A_CIRCLE else []
    if any(place.shares_line for place in shown_places):
        word, numbers = "entries", [place.entry for place in shown_places]
    else:
        word, numbers = "lines", [place.line for place in shown_places]
    way = ", ".join([*map(str, numbers), *more])
    return f"{shown(entry.name)} is below itself: {word} {way} name each other as parent."
