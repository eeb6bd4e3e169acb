"""Files on the machine are readable only by the user who runs the server."""

import stat
from pathlib import Path

import pytest

from runai_access.settings import IS_SQLITE
from tests.conftest import StartServer


@pytest.mark.slow
@pytest.mark.skipif(not IS_SQLITE, reason="PostgreSQL keeps its own files")
def test_the_database_file_is_private(start_server: StartServer) -> None:
    server = start_server(is_empty=True)
    file = Path(server.database.removeprefix("sqlite:///"))
    for path in file.parent.glob(f"{file.name}*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
