"""Clients of 2.18 to 2.24, unmodified, against one running server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import skip_for_missing_tool
from tests.servers import ROOT, Server

HERE = Path(__file__).parent
PROJECT = "project-of-generations"
UV = Path(sys.executable).with_name("uv")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def credentials(server: Server) -> dict[str, str]:
    """Client ID and secret of an administrator application; its server has one project."""
    made = server.command(
        "create_application", "generations", "--role", "System administrator", "--json"
    )
    assert made.returncode == 0, made.stderr
    organization = server.command(
        "shell", "-v0", "-c",
        "from accessrules.models import Scope\n"
        "parent = Scope.objects.get(type='tenant')\n"
        f"for name in ('cluster-of-generations', 'department-of-generations', '{PROJECT}'):\n"
        "    parent = Scope.below(parent, name=name, created_by='test')\n"
        "    parent.save()\n",
    )  # fmt: skip
    assert organization.returncode == 0, organization.stderr
    answer: dict[str, str] = json.loads(made.stdout)
    return answer


def interpreter(version: str) -> Path:
    """Return a Python that has that version of the client, installed from its own locked list.

    Clients of two versions can't share an environment, so the older ones have one each.
    """
    lock = HERE / f"runapy-{version}.txt"
    folder = ROOT / ".venv" / "clients" / version
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        if not UV.exists():
            skip_for_missing_tool("uv is not in .venv; `make test` puts it there")
        python = folder / "bin" / "python"
        run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        run(UV, "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock)
        installed.write_bytes(lock.read_bytes())
    return folder / "bin" / "python"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)


@pytest.mark.parametrize("version", ["1.218", "1.220", "1.224"])
def test_every_generation_of_the_official_client_works(
    server: Server, credentials: dict[str, str], version: str
) -> None:
    # 1.224 is the one that the tests themselves use.
    python = Path(sys.executable) if version == "1.224" else interpreter(version)
    done = subprocess.run(
        [
            python, HERE / "scenario.py", server.url,
            credentials["clientId"], credentials["clientSecret"], PROJECT,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(version)
