"""Validation of a scope file as a whole: parents, duplicates and removals."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from django.db.models import Count

from accessrules.models import AccessRule, Scope
from accessrules.scope_import.plan import Layout, Node, Plan
from accessrules.scope_import.readers import Contents
from accessrules.scope_import.rows import Entry, Fault, Place, shown
from runai_access.db.normalization import normalize

BATCH_SIZE = 500
_MAX_SHOWN_OF_CYCLE = 4
_PARENT_TYPE = {child: parent for parent, child in Scope.CHILD_TYPE.items()}


def without_repeated(entries: Iterable[Entry], faults: list[Fault]) -> list[Entry]:
    """Return the entries without duplicates by type and id; each duplicate is a fault."""
    kept: list[Entry] = []
    by_id: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first = by_id.setdefault((entry.type, entry.id), entry) if entry.id else entry
        if first is entry:
            kept.append(entry)
        else:
            message = f"duplicate id {entry.id}; the {entry.type} on {first.place} has it."
            faults.append(Fault(entry.place, message))
    return kept


def faults_of_places(plan: Plan) -> Iterator[Fault]:
    """Yield a fault for each entry with the name, or an equal name, of a sibling."""
    places: dict[tuple[int, str], Node] = {}
    for node in sorted(plan.nodes, key=lambda node: node.place):
        first = places.setdefault((id(node.parent), normalize(node.name)), node)
        # Two existing siblings with equal names are from an earlier version; the file changes neither.
        if first is node or (first.is_kept and node.is_kept):
            continue
        place = f"{shown(node.name)} in {node.above.label}"
        if first.entry:
            yield Fault(node.place, f"duplicate name {place}; {first.place} has it.")
        else:
            hint = f"to change that one, set id to {first.now.uid}."
            yield Fault(node.place, f"the name {place} is taken by another {first.type}; {hint}")


def faults_of_removal(plan: Plan, named: Container[tuple[str, str]]) -> Iterator[Fault]:
    """Yield a fault for each scope that can't be removed: it has rules, or entries below it."""
    if not any(node.entry for node in plan.nodes):
        yield Fault(
            Place(1), "the file has no valid scopes, so all existing scopes would be removed."
        )
        return
    # A scope with an invalid entry is in the file too.
    leaving = [node for node in plan.removed if (node.type, node.now.uid) not in named]
    rules = _living_rules(node.now.pk for node in leaving)
    for node in leaving:
        if count := rules.get(node.now.pk):
            rule_count = f"{count} access rule{'s' if count > 1 else ''}"
            message = f"{node.label} has {rule_count}; delete them or add the scope to the file."
            yield Fault(Place(), message)
    removed = set(map(id, leaving))
    for node in plan.nodes:
        if id(node.parent) in removed:
            yield Fault(node.place, f"its parent, {node.above.label}, is not in the file.")


def _living_rules(scope_pks: Iterable[int]) -> dict[int, int]:
    pks = list(scope_pks)
    counts: dict[int, int] = {}
    for start in range(0, len(pks), BATCH_SIZE):
        rules = AccessRule.objects.living().filter(scope__in=pks[start : start + BATCH_SIZE])
        rows = rules.order_by().values("scope").annotate(count=Count("pk"))
        counts.update({row["scope"]: row["count"] for row in rows})
    return counts


class LostEntries:
    """Finds why entries have no parent: a cycle, a parent of the wrong type, or a missing parent."""

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
        """Yield a fault for each invalid entry, but not for its descendants."""
        parents = {entry: parent for entry in self._lost if (parent := self._parent(entry))}
        cycles = _cycles(parents)
        for entry in self._lost:
            parent = parents.get(entry)
            if entry in cycles:
                yield Fault(entry.place, _describe_cycle(entry, cycles[entry]))
            elif parent and parent in self._lost and parent.type == _PARENT_TYPE[entry.type]:
                continue
            elif problem := self._problem(entry):
                yield Fault(entry.place, problem)

    def _parent(self, entry: Entry) -> Entry | None:
        """Return the entry that the parent refers to, preferably one of the right type."""
        found = self._entries.get(entry.parent, []) if entry.parent else []
        right = [other for other in found if other.type == _PARENT_TYPE[entry.type]]
        return next(iter([*right, *found]), None)

    def _problem(self, entry: Entry) -> str:
        wanted = _PARENT_TYPE[entry.type]
        noun = "account" if wanted == Scope.Type.TENANT else str(wanted)
        if not entry.parent:
            return f"parent is missing; it must be a {noun}."
        if entry.parent in self._broken:
            return ""
        parent = shown(entry.parent)
        if self._lost[entry]:
            return f"several {noun}s are named {parent}; use the id or the full name."
        if types := self._types(entry.parent):
            other = types[0].label.lower()
            article = "the" if noun == "account" else "a"
            return f"the parent of a {entry.type} must be {article} {noun}; {parent} is a {other}."
        return f"there is no {noun} {parent} in the file or the account."

    def _types(self, parent: str) -> list[Scope.Type]:
        types = [other.type for other in self._entries.get(parent, [])]
        return types + [Scope.Type(other.type) for other in self._scopes.get(parent, [])]


def _cycles(parents: dict[Entry, Entry]) -> dict[Entry, list[Entry]]:
    """Return the cycle of each entry that is part of one. Visits each entry once."""
    cycles: dict[Entry, list[Entry]] = {}
    visited: dict[Entry, Entry] = {}
    for start in parents:
        trail = []
        entry = start
        while entry in parents and entry not in visited:
            visited[entry] = start
            trail.append(entry)
            entry = parents[entry]
        if visited.get(entry) is start and entry in parents:
            cycle = trail[trail.index(entry) :]
            cycles.update(dict.fromkeys(cycle, cycle))
    return cycles


def _describe_cycle(entry: Entry, cycle: list[Entry]) -> str:
    if len(cycle) == 1:
        return f"{shown(entry.name)} is its own parent."
    shown_places = [other.place for other in cycle[:_MAX_SHOWN_OF_CYCLE]]
    more = ["…"] if len(cycle) > _MAX_SHOWN_OF_CYCLE else []
    if any(place.shares_line for place in shown_places):
        noun, numbers = "entries", [place.entry for place in shown_places]
    else:
        noun, numbers = "lines", [place.line for place in shown_places]
    listed = ", ".join([*map(str, numbers), *more])
    return f"{shown(entry.name)} is its own ancestor: {noun} {listed} form a cycle."
