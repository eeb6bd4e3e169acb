"""Files on the machine are readable only by the user who runs the server."""

import stat
from pathlib import Path

import pytest

from tests.conftest import StartServer


@pytest.mark.slow
def test_the_database_file_is_private(start_server: StartServer) -> None:
    server = start_server(is_empty=True)
    if not server.database.startswith("sqlite:///"):
        pytest.skip("PostgreSQL keeps its own files")
    file = Path(server.database.removeprefix("sqlite:///"))
    for path in file.parent.glob(f"{file.name}*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
