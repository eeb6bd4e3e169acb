"""Errors in scope files are reported by line, and then nothing is changed."""

import json
import time

import pytest

from accessrules.scope_import import readers
from tests import factories
from tests.operations.scope_files import FORMATS, SMALL, File, faults, row, run, tree

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_ids_with_underscores_are_rejected(file: File) -> None:
    """It replaces underscores in paths by hyphens (contract/README.md, Resources)."""
    found = faults(file("id,type,name,parent\nc_1,cluster,one,\nc-1.2,cluster,two,\n"))
    assert len(found) == 1
    assert found[0].startswith("line 2: An id must have")


def test_every_error_is_reported_with_its_line(file: File) -> None:
    text = """id,type,name,parent
c1,cluster,one,
c1,cluster,uno,
d1,department,alpha,nowhere
d2,department,beta,d3
d3,department,gamma,d2
p1,project,x,c1
,project,,c1
p3,galaxy,y,d1
p4,project,z,p4
bad id,project,q,d1
p5,project,child,d1
d9,department,alpha,one
d8,department,alpha,c1
p7,project,byname,alpha,too,many
a,account,acme,
"p8",project,"two
lines",d9
p10,department,zz,
c7,cluster,below,c1
p11,project,deep,p12
"""
    found = faults(file(text))
    assert found == [
        "line 3: duplicate id c1; the cluster on line 2 has it.",
        "line 4: there is no cluster 'nowhere' in the file or the account.",
        "line 5: 'beta' is its own ancestor: lines 5, 6 form a cycle.",
        "line 6: 'gamma' is its own ancestor: lines 5, 6 form a cycle.",
        "line 7: the parent of a project must be a department; 'c1' is a cluster.",
        "line 8: name is missing.",
        "line 9: type must be one of cluster, department, project, not 'galaxy'.",
        "line 10: 'z' is its own parent.",
        (
            "line 11: An id must have 1 to 64 letters (a to z), digits, dots or hyphens, and start "
            "with a letter or digit."
        ),
        # Line 12 is a child of line 4, which is already reported.
        "line 14: duplicate name 'alpha' in cluster one; line 13 has it.",
        "line 15: 6 cells, but only 4 columns.",
        "line 16: a file can't contain the account, only scopes below the account.",
        "line 17: A name can't contain unprintable characters.",
        "line 19: parent is missing; it must be a cluster.",
        "line 20: the parent of a cluster must be the account; 'c1' is a cluster.",
        "line 21: there is no department 'p12' in the file or the account.",
    ]


def test_names_of_scopes_outside_the_file_are_taken(file: File) -> None:
    run("import_scopes", file(SMALL))
    found = faults(file([row("project", "serving", "d1", "p9")]))
    assert found == [
        (
            "line 2: the name 'serving' in department vision is taken by another project; "
            "to change that one, set id to p2."
        )
    ]


def test_an_ambiguous_parent_name_is_an_error(file: File) -> None:
    for cluster in ("east", "west"):
        factories.department("vision", factories.cluster(cluster))
    assert faults(file([row("project", "x", "vision")])) == [
        "line 2: several departments are named 'vision'; use the id or the full name."
    ]
    run("import_scopes", file([row("project", "x", "acme / east / vision")]))
    assert ("project", "acme / east / vision / x") in {(type_, name) for type_, _, name in tree()}


WRONG_CSV = {
    "name\nx\n": ["line 1: column type is missing; the first line must list the columns."],
    "type,name,nmae\n": ["line 1: unknown column 'nmae'; the columns are id, type, name, parent."],
    "type,name,name\n": ["line 1: duplicate column."],
    "": ["line 1: column type is missing; the first line must list the columns."],
    'type,name\ncluster,"x\ny\n': ["line 2: invalid CSV: unexpected end of data."],
    "type,name\n\n\ncluster\n": ["line 4: name is missing."],
    "Type,naem\n": ["line 1: unknown column 'naem'; the columns are id, type, name, parent."],
    "Type,Name,NAME\n": ["line 1: duplicate column."],
    "sep=;\ntype;naem\n": [
        "line 2: unknown column 'naem'; the columns are id, type, name, parent."
    ],
    'sep=;\ntype;name\ncluster;"x\ny\n': ["line 3: invalid CSV: unexpected end of data."],
    "sep=\ntype,name\n": ["line 1: unknown column 'sep='; the columns are id, type, name, parent."],
}
WRONG_JSON = {
    "{}": ["line 1: a JSON file must be a list of scopes, starting with [."],
    '[\n1,\n"x",\n{"type": "cluster",\n"name": "x", "name": "y"}]': [
        "line 2: a scope must be an object with type, name, parent and id.",
        "line 3: a scope must be an object with type, name, parent and id.",
        "line 4: duplicate key 'name'.",
    ],
    '[{"type": "cluster", "name": 5}]': ["line 1: 'name' must be a string in quotes."],
    '[{"type": "cluster", "name": ["x"]}]': ["line 1: 'name' must be a string in quotes."],
    '[{"type": "cluster", "name": "\\ud800"},\n{"type" "x"}]': [
        "line 1: A name can't contain unprintable characters.",
        "line 2: invalid JSON: Expecting ':' delimiter.",
    ],
    '[{"type": "cluster", "name": "x", "color": "red"}]': [
        "line 1: unknown field 'color'; the fields are id, type, name, parent."
    ],
    '[{"type": "cluster", "name": "x"}\n': ["line 2: invalid JSON: a comma or ] is missing."],
    '[{"type": "cluster", "name": "x"}]\n[]': ["line 2: unexpected text after the list."],
    "[" * 200_000: ["line 1: nested too deeply."],
    "[" + "9" * 100_000 + "]": [
        "line 1: a scope must be an object with type, name, parent and id."
    ],
}
WRONG_YAML = {
    "a: b": ["line 1: a YAML file must be a list of scopes, each starting with a hyphen."],
    "- &a [x, y]\n- [*a, *a, *a]\n- {type: cluster, name: *a}\n": [
        "line 1: anchors and aliases are not supported; repeat the value.",
        "line 2: a scope must be a mapping with type and name.",
        "line 3: anchors and aliases are not supported; repeat the value.",
    ],
    "- !!python/object/apply:os.system [ls]\n": [
        "line 1: tags are not supported: 'tag:yaml.org,2002:python/object/apply:os.system'."
    ],
    "- {type: cluster, name: x, name: y}\n- {type: [a], name: {b: [c]}}\n- x\n": [
        "line 1: duplicate key 'name'.",
        "line 2: every value of a scope must be text.",
        "line 3: a scope must be a mapping with type and name.",
    ],
    "- {type: cluster, name: x}\n---\n- a\n": ["line 2: a file can have only one document."],
    '- {type: cluster, name: "x}\n': ["line 2: invalid YAML: found unexpected end of stream."],
    "- {type: cluster,\n   name: \x01}\n": ["line 2: YAML does not allow unprintable characters."],
    "[" * 900 + "]" * 900: ["line 1: a scope must be a mapping with type and name."],
}


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (suffix, text, expected)
        for suffix, cases in (("csv", WRONG_CSV), ("json", WRONG_JSON), ("yaml", WRONG_YAML))
        for text, expected in cases.items()
    ],
)
def test_syntax_errors_are_reported_with_their_line(
    file: File, suffix: str, text: str, expected: list[str]
) -> None:
    found = faults(file(text, suffix))
    assert found[: len(expected)] == expected


MINIFIED = [
    row("cluster", "east", id_="c1"),
    row("galaxy", "serving", "c1"),
    row("department", "", "c1"),
    row("cluster", "west", id_="c1"),
    row("project", "lost", "nowhere"),
    row("department", "vision", "c1", "d1"),
    row("department", "vision", "c1", "d2"),
    row("department", "beta", "d4", "d3"),
    row("department", "gamma", "d3", "d4"),
]


@pytest.mark.parametrize("format_", ["json", "yaml"])
def test_errors_on_one_line_name_their_entries(file: File, format_: str) -> None:
    assert faults(file(json.dumps(MINIFIED, separators=(",", ": ")), format_)) == [
        "line 1, entry 2 ('serving'): type must be one of cluster, department, project, not 'galaxy'.",
        "line 1, entry 3: name is missing.",
        (
            "line 1, entry 4 ('west'): duplicate id c1; the cluster on line 1, entry 1 ('east') has "
            "it."
        ),
        ("line 1, entry 5 ('lost'): there is no department 'nowhere' in the file or the account."),
        (
            "line 1, entry 7 ('vision'): duplicate name 'vision' in cluster east; line 1, entry 6 "
            "('vision') has it."
        ),
        *(
            f"line 1, entry {number} ('{name}'): '{name}' is its own ancestor: entries 8, 9 form a "
            "cycle."
            for number, name in ((8, "beta"), (9, "gamma"))
        ),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[{"type":"cluster","name":"x"},{"type":"cluster","color":1,"name":"y"}]',
            "line 1, entry 2 ('y'): 'color' must be a string in quotes.",
        ),
        (
            '[{"type":"cluster","name":"x"},{"name":"y","type":"cluster","type":"cluster"}]',
            "line 1, entry 2 ('y'): duplicate key 'type'.",
        ),
        (
            '[{"type":"cluster","name":"x"},5]',
            "line 1, entry 2: a scope must be an object with type, name, parent and id.",
        ),
        (
            '[{"type":"cluster","name":"x"},{"type" "x"}]',
            "line 1, entry 2: invalid JSON: Expecting ':' delimiter.",
        ),
        (
            '[{"type":"cluster","name":"x"}{"type":"cluster","name":"y"}]',
            "line 1, entry 2: invalid JSON: a comma or ] is missing.",
        ),
        (
            '[{"type":"cluster","name":"x"},\n{"type":"x","name":"y"},{"type":"cluster","name":"z"}]',
            "line 2, entry 2 ('y'): type must be one of cluster, department, project, not 'x'.",
        ),
        (
            '[{"type":"cluster","name":"x"},{"type":"cluster","name":"y"},\n{"type":"x","name":"z"}]',
            "line 2: type must be one of cluster, department, project, not 'x'.",
        ),
    ],
)
def test_an_entry_is_named_if_its_line_has_others(file: File, text: str, expected: str) -> None:
    assert faults(file(text, "json")) == [expected]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_wrong_encoding_is_reported_with_its_line(file: File, format_: str) -> None:
    found = faults(file(b"type,name\ncluster,caf\xe9\n", format_))
    assert found == ["line 2: not UTF-8; save the file with that encoding."]


def test_errors_in_100000_lines_are_reported_in_seconds(file: File) -> None:
    kinds = [
        "p{0},project,n{0},nowhere",
        "p{0},project,,d1",
        "d{0},department,n{0},d{1}",
        "a,b,c,d",
    ]
    lines = [kinds[i % 4].format(i, i + 4) for i in range(100_000)]
    lines[-2] = "d99998,department,n,d2"  # closes a cycle of 25,000
    began = time.process_time()
    found = faults(file("id,type,name,parent\n" + "\n".join(lines)))
    assert time.process_time() - began < 30
    assert len(found) == 100_000
    assert found[2] == ("line 4: 'n2' is its own ancestor: lines 4, 8, 12, 16, … form a cycle.")
    assert found[-1] == "line 100001: type must be one of cluster, department, project, not 'b'."


def test_a_file_that_is_too_large_is_rejected(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_ROWS", 3)
    found = faults(file(SMALL))
    assert found == ["line 5: a file can have at most 3 scopes; split it."]
    monkeypatch.setattr(readers, "MAX_BYTES", 0)
    assert faults(file(b"\n")) == ["line 2: a file can have at most 0 MiB; split it."]
