"""Writers of scope files: one scope per line in every format, and readable by `import_scopes`."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from accessrules.models import Scope
from accessrules.scope_import.rows import COLUMNS
from runai_access.lists.export import lines


def write(scopes: Iterable[Scope], format_: str) -> Iterator[str]:
    """Yield the lines of a file: descendants follow their scope, siblings are ordered by name."""
    if format_ == "csv":
        return lines(COLUMNS, csv_rows(scopes))
    return _WRITERS[format_](_in_order(scopes))


def csv_rows(scopes: Iterable[Scope]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a CSV file."""
    for scope in _in_order(scopes):
        yield tuple(_values(scope).values())


def _in_order(scopes: Iterable[Scope]) -> Iterator[Scope]:
    """Yield every scope after its parent, if that is in `scopes` too."""
    scopes = list(scopes)
    known = {scope.pk for scope in scopes}
    below: defaultdict[int | None, list[Scope]] = defaultdict(list)
    for scope in sorted(scopes, key=lambda scope: (scope.name, scope.pk), reverse=True):
        below[scope.parent_id if scope.parent_id in known else None].append(scope)
    waiting = below[None]
    while waiting:
        scope = waiting.pop()
        yield scope
        waiting += below[scope.pk]


def _values(scope: Scope) -> dict[str, str]:
    above = scope.parent.uid if scope.parent and scope.type != Scope.Type.CLUSTER else ""
    return dict(zip(COLUMNS, (scope.uid, scope.type, scope.name, above), strict=True))


def _json(scopes: Iterator[Scope]) -> Iterator[str]:
    before = "[\n"
    for scope in scopes:
        yield f"{before}  {json.dumps(_values(scope), ensure_ascii=False)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _yaml(scopes: Iterator[Scope]) -> Iterator[str]:
    """Quote values as JSON strings: valid YAML, and never parsed as a number or a date."""
    is_empty = True
    for scope in scopes:
        values = (f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in _values(scope).items())
        yield f"- {{{', '.join(values)}}}\n"
        is_empty = False
    if is_empty:
        yield "[]\n"


_WRITERS: dict[str, Callable[[Iterator[Scope]], Iterator[str]]] = {"json": _json, "yaml": _yaml}
