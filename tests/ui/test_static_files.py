"""The addresses of static files."""

import json
from pathlib import Path

import pytest

from runai_access.static_files import StaticFiles


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    """Files as `collectstatic` leaves them: one, and what its name is now."""
    (tmp_path / "page.1a2b.css").touch()
    manifest = {"paths": {"page.css": "page.1a2b.css"}, "version": "1.1", "hash": ""}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest))
    return StaticFiles(location=tmp_path, base_url="/static/")


def test_an_address_tells_what_the_file_holds(files: StaticFiles) -> None:
    assert [files.url("page.css") for _ in range(2)] == ["/static/page.1a2b.css"] * 2


def test_a_file_that_is_not_there_is_told_each_time(files: StaticFiles) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match=r"other\.css"):
            files.url("other.css")
