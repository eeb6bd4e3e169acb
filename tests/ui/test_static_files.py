"""URLs of static files."""

import json
from pathlib import Path

import pytest

from runai_access.static_files import StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    """A folder as `collectstatic` creates it, with one file."""
    (tmp_path / "page.1a2b.css").touch()
    manifest = {"paths": {"page.css": "page.1a2b.css"}, "version": "1.1", "hash": ""}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    return StaticFiles(location=tmp_path, base_url="/static/")


def test_url_contains_the_hash_of_the_file(files: StaticFiles) -> None:
    assert [files.url("page.css") for _ in range(2)] == ["/static/page.1a2b.css"] * 2


def test_missing_file_raises_each_time(files: StaticFiles) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"other\.css"):
            files.url("other.css")
