"""Helpers for scope files and the commands that import and export them."""

import csv
import io
import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accessrules.authorization.breadcrumbs import full_names
from accessrules.models import Scope
from runai_access.audit.models import AuditEvent

SourceRow = dict[str, str]
FORMATS = ["csv", "json", "yaml"]


def row(type_: str, name: str, parent: str = "", id_: str = "") -> SourceRow:
    return {"id": id_, "type": type_, "name": name, "parent": parent}


SMALL = [
    row("cluster", "east", id_="c1"),
    row("department", "vision", "c1", "d1"),
    row("project", "training", "d1", "p1"),
    row("project", "serving", "d1", "p2"),
]


File = Callable[..., str]


def as_text(rows: list[SourceRow], format_: str) -> str:
    """Write rows as a user would, one per line."""
    if format_ == "json":
        return "[\n" + ",\n".join(json.dumps(one) for one in rows) + "\n]"
    if format_ == "yaml":
        # JSON strings are also valid YAML.
        lines = [", ".join(f"{k}: {json.dumps(v)}" for k, v in one.items()) for one in rows]
        return "".join(f"- {{{line}}}\n" for line in lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, ["id", "type", "name", "parent"])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def run(command: str, *args: str) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


def faults(*args: str) -> list[str]:
    """Import a file that must be refused without any change; return its faults."""
    before, events = tree(), AuditEvent.objects.count()
    for options in ([], ["--dry-run"]):
        with pytest.raises(CommandError) as refused:
            run("import_scopes", *args, *options)
    assert (tree(), AuditEvent.objects.count()) == (before, events)
    first, *lines = str(refused.value).splitlines()
    assert first == f"{len(lines)} error{'s' if len(lines) > 1 else ''}; nothing was changed."
    return [line.strip() for line in lines]


def tree() -> set[tuple[str, str, str]]:
    """Return every scope below the account: its type, its id and its full name."""
    scopes = list(Scope.objects.filter(depth__gt=1))
    names = full_names(scopes)
    return {(scope.type, scope.uid, names[scope.path]) for scope in scopes}


def paths_are_sound() -> bool:
    scopes = Scope.objects.filter(depth__gt=0).select_related("parent")
    return all(scope.parent and scope.path.startswith(scope.parent.path) for scope in scopes)
