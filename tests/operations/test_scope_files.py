"""`import_scopes` and `export_scopes`: the tree of scopes from a file, and back into one."""

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

# What spreadsheets, YAML and shells take for something else, and what is not ASCII.
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


# What is read and written


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_makes_the_tree_it_says(file: File, format_: str) -> None:
    said = run("import_scopes", file(SMALL, format_))
    assert said.splitlines() == [
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
def test_what_is_exported_reads_back_as_the_same_tree(
    file: File, tmp_path: Path, format_: str
) -> None:
    east, west = factories.cluster("east"), factories.cluster("wést")
    department = factories.department("vision / audio", east)
    factories.department("vision / audio", west)
    for name in HARD_NAMES:
        factories.project(name, department)
    before = tree()
    name = str(tmp_path / f"out.{format_}")
    assert run("export_scopes", name) == f"Wrote {len(before)} scopes to {name}.\n"
    assert "Nothing to do" in run("import_scopes", name)
    assert "Nothing to do" in run("import_scopes", "--remove", name)
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
def test_every_name_that_prints_survives_the_file(format_: str, name: str) -> None:
    scope = Scope(type=Scope.Type.CLUSTER, uid="c1", name=name, depth=2)
    data = "".join(write([scope], format_)).encode()
    contents = readers.read(io.BytesIO(data), format_)
    assert contents.faults == ([] if name.strip() else contents.faults)
    assert [entry.name for entry in contents.entries] == ([name.strip()] if name.strip() else [])


@pytest.mark.parametrize("separators", [*SEPARATORS, SEPARATORS])
def test_a_csv_file_has_no_formula_where_a_spreadsheet_splits_it(separators: str) -> None:
    for name in HARD_NAMES:
        factories.cluster(name)
    assert formulas(run("export_scopes"), separators) == []


def test_a_csv_file_names_its_columns() -> None:
    factories.cluster("=cmd()")
    rows = list(csv.reader(io.StringIO(run("export_scopes").removeprefix("\ufeff"))))
    assert rows[0] == ["id", "type", "name", "parent"]
    assert rows[1][2] == "'=cmd()"


def test_what_stands_below_a_scope_follows_it_in_the_file() -> None:
    for cluster in ("west", "east"):
        made = factories.cluster(cluster)
        for department in ("b", "a"):
            factories.project("p", factories.department(f"{cluster}-{department}", made))
    names = [one["name"] for one in json.loads(run("export_scopes", "-", "--format", "json"))]
    assert run("export_scopes", "-") == run("export_scopes")
    assert names == ["east", "east-a", "p", "east-b", "p", "west", "west-a", "p", "west-b", "p"]


@pytest.mark.parametrize("format_", FORMATS)
def test_an_empty_tree_is_a_file_too(tmp_path: Path, format_: str) -> None:
    name = str(tmp_path / f"empty.{format_}")
    run("export_scopes", name)
    assert "Nothing to do" in run("import_scopes", name)


def test_values_in_yaml_are_the_texts_they_are_written_as(file: File) -> None:
    run(
        "import_scopes",
        file("- type: cluster\n  name: no\n- type: department\n  name: 007\n  parent: no\n", "yml"),
    )
    assert {name for _, _, name in tree()} == {"acme / no", "acme / no / 007"}


def test_a_spreadsheet_may_separate_by_semicolons_and_begin_with_a_mark(file: File) -> None:
    run("import_scopes", file("\ufefftype;name\r\ncluster;east, west\r\n"))
    assert {name for _, _, name in tree()} == {"acme / east, west"}


@pytest.mark.parametrize("header", ["Type, NAME ,pArEnt", " ID ,TYPE,Name"])
def test_column_names_are_read_in_any_case(file: File, header: str) -> None:
    run(
        "import_scopes",
        file(f"{header}\n" + ("c1,cluster,east" if "ID" in header else "cluster,east,")),
    )
    assert {name for _, _, name in tree()} == {"acme / east"}


@pytest.mark.parametrize("first", ["sep={}\r\n", "SEP={}\n", '\ufeff"sep={}"\r\n', "sep={}\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
def test_a_first_line_can_name_the_separator(file: File, first: str, separator: str) -> None:
    lines = [["type", "name"], ["cluster", "north,; west"], ["galaxy", "x"]]
    text = "".join(separator.join(f'"{cell}"' for cell in cells) + first[-1] for cells in lines)
    told = faults(file(first.format(separator) + text))
    assert told == ["line 4: type must be cluster, department, project, not 'galaxy'."]
    run("import_scopes", file(first.format(separator) + text.rpartition('"galaxy"')[0]))
    assert {name for _, _, name in tree()} == {"acme / north,; west"}


def test_a_file_without_a_telling_name_needs_its_format(file: File) -> None:
    name = file(SMALL, "txt")
    with pytest.raises(CommandError, match="Say it with --format"):
        run("import_scopes", name)
    Path(name).write_text(as_text(SMALL, "csv"), encoding="utf-8")
    run("import_scopes", name, "--format", "csv")
    with pytest.raises(CommandError, match="Say it with --format"):
        run("export_scopes", name)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: No such file"):
        run("import_scopes", str(tmp_path / "nowhere.csv"))
    with pytest.raises(CommandError, match="can't be written"):
        run("export_scopes", str(tmp_path / "nowhere" / "out.csv"))


def test_a_pipe_is_read_and_a_refusal_is_an_exit_status(server: Server) -> None:
    sent = "type,name\ncluster,from-a-pipe\n"
    for said in ("create  cluster from-a-pipe", "Nothing to do"):
        done = server.command("import_scopes", "-", "--format", "csv", stdin=sent)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert "from-a-pipe" in server.command("export_scopes").stdout
    refused = server.command("import_scopes", "-", "--format", "csv", stdin="type,name\ngalaxy,x\n")
    assert refused.returncode == 1
    assert "line 2: type must be cluster, department, project" in refused.stderr
    assert "Traceback" not in refused.stderr


# What changes


def test_a_dry_run_shows_the_difference_and_changes_nothing(file: File) -> None:
    said = run("import_scopes", file(SMALL), "--dry-run")
    assert "create  project training in department vision" in said
    assert said.endswith("Dry run: nothing was changed.\n")
    assert tree() == set()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("with_ids", [True, False])
def test_doing_it_again_changes_nothing(file: File, with_ids: bool) -> None:
    rows = SMALL
    if not with_ids:
        parents = {"c1": "east", "d1": "east / vision", "": ""}
        rows = [row(one["type"], one["name"], parents[one["parent"]]) for one in SMALL]
    name = file(rows)
    run("import_scopes", name)
    before, events = tree(), AuditEvent.objects.count()
    assert run("import_scopes", name) == "Nothing to do: everything is as the file says.\n"
    assert (tree(), AuditEvent.objects.count()) == (before, events)


def test_each_change_has_one_row_in_the_record(file: File) -> None:
    run("import_scopes", file(SMALL))
    event = AuditEvent.objects.get(entity_type="project", entity_id="p1")
    assert (event.subject_type, event.subject_name, event.action) == ("system", "system", "create")
    assert event.entity_name == "project training"
    assert event.changes == {"name": [None, "training"], "parent": [None, "department vision"]}
    assert AuditEvent.objects.count() == len(SMALL)
    assert Scope.objects.get(uid="p1").created_by == "system"


def test_a_scope_goes_by_its_id_and_is_renamed_and_moved(file: File) -> None:
    run("import_scopes", file(SMALL))
    rule = factories.rule(factories.group("ops"), "Viewer", Scope.objects.get(uid="p1"))
    changed = [
        *SMALL[:2],
        row("cluster", "west", id_="c2"),
        row("department", "speech", "west", "d2"),
        row("project", "dictation", "west / speech", "p1"),
    ]
    said = run("import_scopes", file(changed))
    assert "rename  project training to dictation" in said
    assert "move    project dictation from department vision to department speech" in said
    assert ("project", "p1", "acme / west / speech / dictation") in tree()
    assert ("project", "p2", "acme / east / vision / serving") in tree()
    assert AccessRule.objects.get(pk=rule.pk).scope.uid == "p1"
    assert AuditEvent.objects.latest("pk").changes == {
        "name": ["training", "dictation"],
        "parent": ["department vision", "department speech"],
    }


def test_a_moved_department_takes_its_projects_along_and_gets_new_ones(file: File) -> None:
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


def test_two_scopes_may_change_names_and_a_new_one_take_an_old_name(file: File) -> None:
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


def test_what_the_file_does_not_name_stays(file: File) -> None:
    factories.project("kept", factories.department("other", factories.cluster("west")))
    run("import_scopes", file(SMALL))
    assert "acme / west / other / kept" in {name for _, _, name in tree()}


def test_with_remove_it_goes_and_leaves_the_record(file: File) -> None:
    kept = factories.project("kept", factories.department("other", factories.cluster("west")))
    deleted = factories.rule(factories.group("ops"), "Viewer", kept)
    AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=deleted.created_at)
    said = run("import_scopes", file(SMALL), "--remove")
    assert "remove  project kept from department other" in said
    assert "4 to create, 3 to remove." in said
    assert {uid for _, uid, _ in tree()} == {"c1", "d1", "p1", "p2"}
    gone = AuditEvent.objects.get(entity_id=kept.uid)
    assert (gone.action, gone.entity_name) == ("delete", "project kept")


def test_a_department_is_removed_from_above_a_project_that_moves_away(file: File) -> None:
    run("import_scopes", file(SMALL))
    changed = [
        row("cluster", "east", id_="c1"),
        row("department", "speech", "c1", "d2"),
        row("project", "training", "d2", "p1"),
    ]
    run("import_scopes", file(changed), "--remove")
    assert {uid for _, uid, _ in tree()} == {"c1", "d2", "p1"}
    assert paths_are_sound()


def test_removing_is_refused_while_rules_or_named_scopes_are_in_the_way(file: File) -> None:
    run("import_scopes", file(SMALL))
    factories.rule(factories.group("ops"), "Viewer", Scope.objects.get(uid="p2"))
    assert faults(file(SMALL[:3]), "--remove") == [
        (
            "not in the file: project serving has 1 access rule; delete them first, "
            "or name it in the file."
        )
    ]
    assert faults(file([SMALL[0], *SMALL[2:]]), "--remove") == [
        "line 3: department vision, its parent, is not in the file.",
        "line 4: department vision, its parent, is not in the file.",
    ]
    assert faults(file([]), "--remove") == [
        "line 1: the file names no scope, and what it does not name would be removed."
    ]


def test_a_failure_in_the_middle_leaves_nothing_behind(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise CommandError("no record")

    monkeypatch.setattr("accessrules.scope_import.apply.record_all", fail)
    with pytest.raises(CommandError):
        run("import_scopes", file(SMALL))
    assert tree() == set()


def test_five_thousand_projects_take_few_statements(
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
    for one in rows[51:]:
        one["name"] += " renamed"
    with django_assert_max_num_queries(150):
        run("import_scopes", file(rows))
    assert Scope.objects.filter(name__endswith=" renamed").count() == 5_000
