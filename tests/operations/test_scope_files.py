"""The commands `import_scopes` and `export_scopes`."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessrules.models import AccessRule, Scope
from accessrules.scope_import import readers
from accessrules.scope_import.writers import write
from runai_access.audit.models import AuditEvent
from tests import factories, sizes
from tests.operations.scope_files import (
    FORMATS,
    SMALL,
    File,
    as_text,
    faults,
    paths_are_sound,
    row,
    run,
    tree,
)
from tests.servers import Server
from tests.spreadsheets import SEPARATORS, formulas

pytestmark = pytest.mark.django_db

# Names that spreadsheets, YAML or shells can misread, and names that are not ASCII.
HARD_NAMES = [
    "naïve Ärger",
    "東京 🧪",
    "עברית",
    "=1+1",
    "'=1+1",
    "''-x",
    "x;=9+9;y",
    '"x|@SUM(9)|"@example.com',
    "a, '-b; ''=c",
    "-",
    "no",
    "007",
    "2026-11-24",
    "null",
    "~",
    'a "quoted", one',
    "a: b # c",
    "back\\slash",
    "a/b",
    "x" * 255,
]


# Reading and writing


@pytest.mark.parametrize("format_", FORMATS)
def test_an_import_creates_the_scopes_of_the_file(file: File, format_: str) -> None:
    output = run("import_scopes", file(SMALL, format_))
    assert output.splitlines() == [
        "create  cluster east in account acme",
        "create  department vision in cluster east",
        "create  project training in department vision",
        "create  project serving in department vision",
        "4 to create.",
        "Done.",
    ]
    assert tree() == {
        ("cluster", "c1", "acme / east"),
        ("department", "d1", "acme / east / vision"),
        ("project", "p1", "acme / east / vision / training"),
        ("project", "p2", "acme / east / vision / serving"),
    }
    assert paths_are_sound()


@pytest.mark.parametrize("format_", FORMATS)
def test_an_export_can_be_imported_again(file: File, tmp_path: Path, format_: str) -> None:
    east, west = factories.cluster("east"), factories.cluster("wést")
    department = factories.department("vision / audio", east)
    factories.department("vision / audio", west)
    for name in HARD_NAMES:
        factories.project(name, department)
    before = tree()
    name = str(tmp_path / f"out.{format_}")
    assert run("export_scopes", name) == f"Wrote {len(before)} scopes to {name}.\n"
    assert "No changes" in run("import_scopes", name)
    assert "No changes" in run("import_scopes", "--remove", name)
    Scope.objects.filter(type="project").delete()
    Scope.objects.filter(type="department").delete()
    Scope.objects.filter(type="cluster").delete()
    run("import_scopes", name)
    assert tree() == before
    assert not Scope.objects.exclude(name__in=[*HARD_NAMES, "vision / audio"]).filter(depth__gt=2)


@pytest.mark.parametrize("format_", FORMATS)
@settings(
    max_examples=sizes.SCOPE_FILE_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(
    name=(
        st.text(min_size=1, max_size=60)
        | st.text("=+-@\uff1d\uff0b\uff0d\uff20,;|'\" ax", min_size=1, max_size=20)
    ).filter(str.isprintable)
)
def test_every_printable_name_survives_a_round_trip(format_: str, name: str) -> None:
    scope = Scope(type=Scope.Type.CLUSTER, uid="c1", name=name, depth=2)
    data = "".join(write([scope], format_)).encode()
    contents = readers.read(io.BytesIO(data), format_)
    assert contents.faults == ([] if name.strip() else contents.faults)
    assert [entry.name for entry in contents.entries] == ([name.strip()] if name.strip() else [])


@pytest.mark.parametrize("separators", [*SEPARATORS, SEPARATORS])
def test_csv_files_contain_no_formulas(separators: str) -> None:
    for name in HARD_NAMES:
        factories.cluster(name)
    assert formulas(run("export_scopes"), separators) == []


def test_a_csv_file_names_its_columns() -> None:
    factories.cluster("=cmd()")
    rows = list(csv.reader(io.StringIO(run("export_scopes").removeprefix("\ufeff"))))
    assert rows[0] == ["id", "type", "name", "parent"]
    assert rows[1][2] == "'=cmd()"


def test_descendants_follow_their_scope_in_the_file() -> None:
    for cluster in ("west", "east"):
        made = factories.cluster(cluster)
        for department in ("b", "a"):
            factories.project("p", factories.department(f"{cluster}-{department}", made))
    names = [entry["name"] for entry in json.loads(run("export_scopes", "-", "--format", "json"))]
    assert run("export_scopes", "-") == run("export_scopes")
    assert names == ["east", "east-a", "p", "east-b", "p", "west", "west-a", "p", "west-b", "p"]


@pytest.mark.parametrize("format_", FORMATS)
def test_an_empty_tree_can_be_exported_and_imported(tmp_path: Path, format_: str) -> None:
    name = str(tmp_path / f"empty.{format_}")
    run("export_scopes", name)
    assert "No changes" in run("import_scopes", name)


def test_yaml_values_are_read_as_text(file: File) -> None:
    run(
        "import_scopes",
        file("- type: cluster\n  name: no\n- type: department\n  name: 007\n  parent: no\n", "yml"),
    )
    assert {name for _, _, name in tree()} == {"acme / no", "acme / no / 007"}


def test_semicolons_and_a_byte_order_mark_are_accepted(file: File) -> None:
    run("import_scopes", file("\ufefftype;name\r\ncluster;east, west\r\n"))
    assert {name for _, _, name in tree()} == {"acme / east, west"}


@pytest.mark.parametrize("header", ["Type, NAME ,pArEnt", " ID ,TYPE,Name"])
def test_column_names_are_case_insensitive(file: File, header: str) -> None:
    run(
        "import_scopes",
        file(f"{header}\n" + ("c1,cluster,east" if "ID" in header else "cluster,east,")),
    )
    assert {name for _, _, name in tree()} == {"acme / east"}


@pytest.mark.parametrize("first", ["sep={}\r\n", "SEP={}\n", '\ufeff"sep={}"\r\n', "sep={}\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
def test_the_first_line_can_declare_the_separator(file: File, first: str, separator: str) -> None:
    lines = [["type", "name"], ["cluster", "north,; west"], ["galaxy", "x"]]
    text = "".join(separator.join(f'"{cell}"' for cell in cells) + first[-1] for cells in lines)
    found = faults(file(first.format(separator) + text))
    assert found == ["line 4: type must be one of cluster, department, project, not 'galaxy'."]
    run("import_scopes", file(first.format(separator) + text.rpartition('"galaxy"')[0]))
    assert {name for _, _, name in tree()} == {"acme / north,; west"}


def test_a_file_without_a_known_extension_requires_format(file: File) -> None:
    name = file(SMALL, "txt")
    with pytest.raises(CommandError, match="Set --format to csv, json or yaml"):
        run("import_scopes", name)
    Path(name).write_text(as_text(SMALL, "csv"), encoding="utf-8")
    run("import_scopes", name, "--format", "csv")
    with pytest.raises(CommandError, match="Set --format to csv, json or yaml"):
        run("export_scopes", name)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Can't read .+: No such file"):
        run("import_scopes", str(tmp_path / "nowhere.csv"))
    with pytest.raises(CommandError, match=r"^Can't write"):
        run("export_scopes", str(tmp_path / "nowhere" / "out.csv"))


def test_standard_input_is_read_and_errors_exit_with_status_1(server: Server) -> None:
    sent = "type,name\ncluster,from-a-pipe\n"
    for expected in ("create  cluster from-a-pipe", "No changes"):
        done = server.command("import_scopes", "-", "--format", "csv", stdin=sent)
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
    assert "from-a-pipe" in server.command("export_scopes").stdout
    refused = server.command("import_scopes", "-", "--format", "csv", stdin="type,name\ngalaxy,x\n")
    assert refused.returncode == 1
    assert "line 2: type must be one of cluster, department, project" in refused.stderr
    assert "Traceback" not in refused.stderr


# Changes


def test_a_dry_run_shows_the_changes_and_makes_none(file: File) -> None:
    output = run("import_scopes", file(SMALL), "--dry-run")
    assert "create  project training in department vision" in output
    assert output.endswith("Dry run: nothing was changed.\n")
    assert tree() == set()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("with_ids", [True, False])
def test_importing_again_changes_nothing(file: File, with_ids: bool) -> None:
    rows = SMALL
    if not with_ids:
        parents = {"c1": "east", "d1": "east / vision", "": ""}
        rows = [row(entry["type"], entry["name"], parents[entry["parent"]]) for entry in SMALL]
    name = file(rows)
    run("import_scopes", name)
    before, events = tree(), AuditEvent.objects.count()
    assert run("import_scopes", name) == "No changes: the scopes match the file.\n"
    assert (tree(), AuditEvent.objects.count()) == (before, events)


def test_each_change_has_one_audit_event(file: File) -> None:
    run("import_scopes", file(SMALL))
    event = AuditEvent.objects.get(entity_type="project", entity_id="p1")
    assert (event.subject_type, event.subject_name, event.action) == ("system", "system", "create")
    assert event.entity_name == "project training"
    assert event.changes == {"name": [None, "training"], "parent": [None, "department vision"]}
    assert AuditEvent.objects.count() == len(SMALL)
    assert Scope.objects.get(uid="p1").created_by == "system"


def test_a_scope_with_an_id_is_renamed_and_moved(file: File) -> None:
    run("import_scopes", file(SMALL))
    rule = factories.rule(factories.group("ops"), "Viewer", Scope.objects.get(uid="p1"))
    changed = [
        *SMALL[:2],
        row("cluster", "west", id_="c2"),
        row("department", "speech", "west", "d2"),
        row("project", "dictation", "west / speech", "p1"),
    ]
    output = run("import_scopes", file(changed))
    assert "rename  project training to dictation" in output
    assert "move    project dictation from department vision to department speech" in output
    assert ("project", "p1", "acme / west / speech / dictation") in tree()
    assert ("project", "p2", "acme / east / vision / serving") in tree()
    assert AccessRule.objects.get(pk=rule.pk).scope.uid == "p1"
    assert AuditEvent.objects.latest("pk").changes == {
        "name": ["training", "dictation"],
        "parent": ["department vision", "department speech"],
    }


def test_a_moved_department_keeps_its_projects_and_gets_new_ones(file: File) -> None:
    run("import_scopes", file(SMALL))
    changed = [
        row("cluster", "west", id_="c2"),
        row("department", "vision", "c2", "d1"),
        row("project", "new", "d1"),
    ]
    run("import_scopes", file(changed))
    names = {name for type_, _, name in tree() if type_ == "project"}
    assert names == {f"acme / west / vision / {name}" for name in ("training", "serving", "new")}
    assert paths_are_sound()


def test_scopes_can_swap_names(file: File) -> None:
    run("import_scopes", file(SMALL))
    changed = [
        row("project", "serving", "d1", "p1"),
        row("project", "training", "d1", "p2"),
        row("department", "vision", "c1", "d9"),
        row("department", "sight", "c1", "d1"),
    ]
    run("import_scopes", file(changed))
    assert tree() == {
        ("cluster", "c1", "acme / east"),
        ("department", "d1", "acme / east / sight"),
        ("department", "d9", "acme / east / vision"),
        ("project", "p1", "acme / east / sight / serving"),
        ("project", "p2", "acme / east / sight / training"),
    }


def test_scopes_not_in_the_file_stay(file: File) -> None:
    factories.project("kept", factories.department("other", factories.cluster("west")))
    run("import_scopes", file(SMALL))
    assert "acme / west / other / kept" in {name for _, _, name in tree()}


def test_remove_deletes_scopes_and_is_audited(file: File) -> None:
    kept = factories.project("kept", factories.department("other", factories.cluster("west")))
    deleted = factories.rule(factories.group("ops"), "Viewer", kept)
    AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=deleted.created_at)
    output = run("import_scopes", file(SMALL), "--remove")
    assert "remove  project kept from department other" in output
    assert "4 to create, 3 to remove." in output
    assert {uid for _, uid, _ in tree()} == {"c1", "d1", "p1", "p2"}
    event = AuditEvent.objects.get(entity_id=kept.uid)
    assert (event.action, event.entity_name) == ("delete", "project kept")


def test_a_department_is_removed_after_its_project_moves_away(file: File) -> None:
    run("import_scopes", file(SMALL))
    changed = [
        row("cluster", "east", id_="c1"),
        row("department", "speech", "c1", "d2"),
        row("project", "training", "d2", "p1"),
    ]
    run("import_scopes", file(changed), "--remove")
    assert {uid for _, uid, _ in tree()} == {"c1", "d2", "p1"}
    assert paths_are_sound()


def test_scopes_with_rules_or_entries_are_not_removed(file: File) -> None:
    run("import_scopes", file(SMALL))
    factories.rule(factories.group("ops"), "Viewer", Scope.objects.get(uid="p2"))
    assert faults(file(SMALL[:3]), "--remove") == [
        (
            "not in the file: project serving has 1 access rule; delete them or add the scope to the "
            "file."
        )
    ]
    assert faults(file([SMALL[0], *SMALL[2:]]), "--remove") == [
        "line 3: its parent, department vision, is not in the file.",
        "line 4: its parent, department vision, is not in the file.",
    ]
    assert faults(file([]), "--remove") == [
        "line 1: the file has no valid scopes, so all existing scopes would be removed."
    ]


def test_a_failed_import_changes_nothing(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise CommandError("no audit log")

    monkeypatch.setattr("accessrules.scope_import.apply.record_all", fail)
    with pytest.raises(CommandError):
        run("import_scopes", file(SMALL))
    assert tree() == set()


def test_5000_projects_need_few_statements(
    file: File, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    rows = [row("cluster", "east", id_="c1")]
    rows += [row("department", f"d{number}", "c1", f"d{number}") for number in range(50)]
    rows += [row("project", f"p{n}", f"d{n % 50}", f"p{n}") for n in range(5_000)]
    name = file(rows)
    with django_assert_max_num_queries(250):
        run("import_scopes", name)
    assert Scope.objects.filter(type="project").count() == 5_000
    assert AuditEvent.objects.count() == 5_051
    with django_assert_max_num_queries(6):
        run("import_scopes", name)
    for entry in rows[51:]:
        entry["name"] += " renamed"
    with django_assert_max_num_queries(150):
        run("import_scopes", file(rows))
    assert Scope.objects.filter(name__endswith=" renamed").count() == 5_000
