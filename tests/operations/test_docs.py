"""Links, settings, glossary and writing of README and docs/."""

import re
from pathlib import Path

import pytest
from django.db import connection

from tests.servers import ROOT

pytestmark = pytest.mark.any_database

README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A file of the project in backticks, for example `bench/authorization.py`.
FILE = re.compile(r"`((?:tests|runai_access|accessrules|applications|bench)/[\w/]+\.\w+)`")
SETTING = re.compile(r"""\w+\(\s*["']((?:RUNAI_ACCESS_\w+)|PORT|DATABASE_URL)["']""")
# The same for a variable that can also name a file.
SECRET_SETTING = re.compile(r"""\b(?:secret|text_or_file)\(\s*["'](\w+)["']""")
SETTING_ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
# Words that the writing guide retires and that have no other use in documentation.
RETIRED = re.compile(
    r"\b(sight|whoever|anew|at once|told|of its own|by itself|so many|as far as|in vain|upkeep"
    r"|e-mail|behaviour|organisation|catalogue)\b",
    re.IGNORECASE,
)


def prose(page: Path) -> str:
    return CODE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub writes them."""
    headings = HEADING.findall(prose(page))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_broken(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_a_file_and_heading(page: Path) -> None:
    links = [link for link in LINK.findall(prose(page)) if not link.startswith("http")]
    assert [link for link in links if is_broken(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = FILE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_uses_a_retired_word(page: Path) -> None:
    assert RETIRED.findall(page.read_text(encoding="utf-8")) == []


def test_readme_links_every_page_of_docs() -> None:
    linked = {link.partition("#")[0] for link in LINK.findall(prose(README))}
    pages = {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")}
    assert pages - linked == set()


def test_settings_table_lists_exactly_the_settings() -> None:
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("runai_access/**/*.py")]
    read = {name for source in sources for name in SETTING.findall(source)}
    read |= {f"{name}_FILE" for source in sources for name in SECRET_SETTING.findall(source)}
    documented = SETTING_ROW.findall(README.read_text(encoding="utf-8"))
    assert len(documented) == len(set(documented))
    assert set(documented) == read


@pytest.mark.django_db
def test_glossary_names_tables_and_columns_that_exist() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    terms = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert [cells[0] for cells in terms] == sorted(cells[0] for cells in terms)
    named = [name for cells in terms for name in re.findall(r"`([\w.]+)`", cells[-1])]
    assert len(named) > 10
    with connection.cursor() as cursor:
        for name in named:
            table, _, column = name.partition(".")
            columns = connection.introspection.get_table_description(cursor, table)
            assert columns, name
            assert not column or column in {described.name for described in columns}, name
