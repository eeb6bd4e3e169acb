"""What is wrong with a file of scopes is told line by line, and then nothing is changed."""

import json
import time

import pytest

from accessrules.scope_import import readers
from tests import factories
from tests.operations.scope_files import FORMATS, SMALL, File, faults, row, run, tree

pytestmark = pytest.mark.django_db


def test_an_id_that_the_official_client_could_not_name_is_refused(file: File) -> None:
    """It writes hyphens for the underscores of a path (contract/README.md, Resources)."""
    told = faults(file("id,type,name,parent\nc_1,cluster,one,\nc-1.2,cluster,two,\n"))
    assert len(told) == 1
    assert told[0].startswith("line 2: An id is")


def test_every_fault_is_told_with_its_line(file: File) -> None:
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
    told = faults(file(text))
    assert told == [
        "line 3: the cluster with the id c1 is on line 2 already.",
        "line 4: there is no cluster 'nowhere', neither in the file nor in the account.",
        "line 5: 'beta' is below itself: lines 5, 6 name each other as parent.",
        "line 6: 'gamma' is below itself: lines 5, 6 name each other as parent.",
        "line 7: a project stands below a department, and 'c1' is a cluster.",
        "line 8: name is missing.",
        "line 9: type must be cluster, department, project, not 'galaxy'.",
        "line 10: 'z' is below itself.",
        (
            "line 11: An id is 1 to 64 letters (a to z), digits, dots and hyphens, and begins with a "
            "letter or digit."
        ),
        # Line 12 stands below line 4, which is told.
        "line 14: the name 'alpha' in cluster one is on line 13 already.",
        "line 15: There are 6 cells, and 4 columns.",
        "line 16: a file names what is below the account, not the account itself.",
        "line 17: A name must not contain characters that don't print.",
        "line 19: parent is missing: the cluster that it stands below.",
        "line 20: a cluster stands below an account, and 'c1' is a cluster.",
        "line 21: there is no department 'p12', neither in the file nor in the account.",
    ]


def test_a_name_that_a_scope_outside_the_file_has_is_taken(file: File) -> None:
    run("import_scopes", file(SMALL))
    told = faults(file([row("project", "serving", "d1", "p9")]))
    assert told == [
        (
            "line 2: the name 'serving' in department vision is taken by another project; "
            "give the id p2 to mean that one."
        )
    ]


def test_a_parent_that_several_are_named_like_must_be_told_apart(file: File) -> None:
    for cluster in ("east", "west"):
        factories.department("vision", factories.cluster(cluster))
    assert faults(file([row("project", "x", "vision")])) == [
        "line 2: several departments are named 'vision'; say which by its id or by all its names."
    ]
    run("import_scopes", file([row("project", "x", "acme / east / vision")]))
    assert ("project", "acme / east / vision / x") in {(type_, name) for type_, _, name in tree()}


WRONG_CSV = {
    "name\nx\n": ["line 1: The column type is missing; the first line names the columns."],
    "type,name,nmae\n": ["line 1: There is no column 'nmae'; they are id, type, name, parent."],
    "type,name,name\n": ["line 1: A column is named twice."],
    "": ["line 1: The column type is missing; the first line names the columns."],
    'type,name\ncluster,"x\ny\n': ["line 2: This is not CSV: unexpected end of data."],
    "type,name\n\n\ncluster\n": ["line 4: name is missing."],
    "Type,naem\n": ["line 1: There is no column 'naem'; they are id, type, name, parent."],
    "Type,Name,NAME\n": ["line 1: A column is named twice."],
    "sep=;\ntype;naem\n": ["line 2: There is no column 'naem'; they are id, type, name, parent."],
    'sep=;\ntype;name\ncluster;"x\ny\n': ["line 3: This is not CSV: unexpected end of data."],
    "sep=\ntype,name\n": ["line 1: There is no column 'sep='; they are id, type, name, parent."],
}
WRONG_JSON = {
    "{}": ["line 1: A JSON file is a list of scopes: it begins with [."],
    '[\n1,\n"x",\n{"type": "cluster",\n"name": "x", "name": "y"}]': [
        "line 2: This is not a scope: an object with type, name, parent and id.",
        "line 3: This is not a scope: an object with type, name, parent and id.",
        "line 4: 'name' is said twice.",
    ],
    '[{"type": "cluster", "name": 5}]': ["line 1: 'name' must be a text in quotes."],
    '[{"type": "cluster", "name": ["x"]}]': ["line 1: 'name' must be a text in quotes."],
    '[{"type": "cluster", "name": "\\ud800"},\n{"type" "x"}]': [
        "line 1: A name must not contain characters that don't print.",
        "line 2: This is not JSON: Expecting ':' delimiter.",
    ],
    '[{"type": "cluster", "name": "x", "color": "red"}]': [
        "line 1: 'color' is no field of a scope; they are id, type, name, parent."
    ],
    '[{"type": "cluster", "name": "x"}\n': ["line 2: This is not JSON: a comma or ] is missing."],
    '[{"type": "cluster", "name": "x"}]\n[]': ["line 2: There is something behind the list."],
    "[" * 200_000: ["line 1: This is nested too deeply."],
    "[" + "9" * 100_000 + "]": [
        "line 1: This is not a scope: an object with type, name, parent and id."
    ],
}
WRONG_YAML = {
    "a: b": ["line 1: A YAML file is a list of scopes: each begins with a hyphen."],
    "- &a [x, y]\n- [*a, *a, *a]\n- {type: cluster, name: *a}\n": [
        "line 1: Anchors and aliases are not read; write the value out.",
        "line 2: This is not a scope: a mapping with type and name.",
        "line 3: Anchors and aliases are not read; write the value out.",
    ],
    "- !!python/object/apply:os.system [ls]\n": [
        "line 1: Tags are not read: 'tag:yaml.org,2002:python/object/apply:os.system'."
    ],
    "- {type: cluster, name: x, name: y}\n- {type: [a], name: {b: [c]}}\n- x\n": [
        "line 1: 'name' is said twice.",
        "line 2: Every value of a scope is a text.",
        "line 3: This is not a scope: a mapping with type and name.",
    ],
    "- {type: cluster, name: x}\n---\n- a\n": [
        "line 2: There is a second document; a file has one."
    ],
    '- {type: cluster, name: "x}\n': ["line 2: This is not YAML: found unexpected end of stream."],
    "- {type: cluster,\n   name: \x01}\n": ["line 2: YAML allows no character that doesn't print."],
    "[" * 900 + "]" * 900: ["line 1: This is not a scope: a mapping with type and name."],
}


@pytest.mark.parametrize(
    ("suffix", "text", "told"),
    [
        (suffix, text, told)
        for suffix, cases in (("csv", WRONG_CSV), ("json", WRONG_JSON), ("yaml", WRONG_YAML))
        for text, told in cases.items()
    ],
)
def test_what_can_not_be_read_is_told_with_its_line(
    file: File, suffix: str, text: str, told: list[str]
) -> None:
    found = faults(file(text, suffix))
    assert found[: len(told)] == told


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
def test_faults_on_one_line_name_their_entries(file: File, format_: str) -> None:
    assert faults(file(json.dumps(MINIFIED, separators=(",", ": ")), format_)) == [
        "line 1, entry 2 ('serving'): type must be cluster, department, project, not 'galaxy'.",
        "line 1, entry 3: name is missing.",
        (
            "line 1, entry 4 ('west'): the cluster with the id c1 is on line 1, entry 1 ('east') "
            "already."
        ),
        (
            "line 1, entry 5 ('lost'): there is no department 'nowhere', neither in the file nor in "
            "the account."
        ),
        (
            "line 1, entry 7 ('vision'): the name 'vision' in cluster east is on line 1, entry 6 "
            "('vision') already."
        ),
        *(
            f"line 1, entry {number} ('{name}'): '{name}' is below itself: entries 8, 9 name each "
            "other as parent."
            for number, name in ((8, "beta"), (9, "gamma"))
        ),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[{"type":"cluster","name":"x"},{"type":"cluster","color":1,"name":"y"}]',
            "line 1, entry 2 ('y'): 'color' must be a text in quotes.",
        ),
        (
            '[{"type":"cluster","name":"x"},{"name":"y","type":"cluster","type":"cluster"}]',
            "line 1, entry 2 ('y'): 'type' is said twice.",
        ),
        (
            '[{"type":"cluster","name":"x"},5]',
            "line 1, entry 2: This is not a scope: an object with type, name, parent and id.",
        ),
        (
            '[{"type":"cluster","name":"x"},{"type" "x"}]',
            "line 1, entry 2: This is not JSON: Expecting ':' delimiter.",
        ),
        (
            '[{"type":"cluster","name":"x"}{"type":"cluster","name":"y"}]',
            "line 1, entry 2: This is not JSON: a comma or ] is missing.",
        ),
        (
            '[{"type":"cluster","name":"x"},\n{"type":"x","name":"y"},{"type":"cluster","name":"z"}]',
            "line 2, entry 2 ('y'): type must be cluster, department, project, not 'x'.",
        ),
        (
            '[{"type":"cluster","name":"x"},{"type":"cluster","name":"y"},\n{"type":"x","name":"z"}]',
            "line 2: type must be cluster, department, project, not 'x'.",
        ),
    ],
)
def test_an_entry_is_named_where_its_line_has_others(file: File, text: str, told: str) -> None:
    assert faults(file(text, "json")) == [told]


@pytest.mark.parametrize("format_", FORMATS)
def test_another_encoding_is_told_with_its_line(file: File, format_: str) -> None:
    told = faults(file(b"type,name\ncluster,caf\xe9\n", format_))
    assert told == ["line 2: This is not UTF-8; save the file in that encoding."]


def test_a_hundred_thousand_lines_are_told_every_fault_in_seconds(file: File) -> None:
    kinds = [
        "p{0},project,n{0},nowhere",
        "p{0},project,,d1",
        "d{0},department,n{0},d{1}",
        "a,b,c,d",
    ]
    lines = [kinds[i % 4].format(i, i + 4) for i in range(100_000)]
    lines[-2] = "d99998,department,n,d2"  # closes a circle of 25,000
    began = time.process_time()
    told = faults(file("id,type,name,parent\n" + "\n".join(lines)))
    assert time.process_time() - began < 30
    assert len(told) == 100_000
    assert told[2] == (
        "line 4: 'n2' is below itself: lines 4, 8, 12, 16, … name each other as parent."
    )
    assert told[-1] == "line 100001: type must be cluster, department, project, not 'b'."


def test_a_file_that_is_too_large_is_not_read(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_ROWS", 3)
    told = faults(file(SMALL))
    assert told == ["line 5: a file names at most 3 scopes; divide it."]
    monkeypatch.setattr(readers, "MAX_BYTES", 0)
    assert faults(file(b"\n")) == ["line 2: A file has at most 0 MiB; divide it."]
