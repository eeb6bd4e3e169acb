"""The wheel contains all that is needed: installed without the source tree, it serves a first token."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import requests

import runai_access
from tests.conftest import StartServer
from tests.servers import ROOT, server_environment

UV = ROOT / ".venv/bin/uv"

pytestmark = pytest.mark.any_database


def run(*command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    """Run a command that must succeed; return its standard output."""
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a wheel in an environment that has only its locked dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", folder)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    requirements = folder / "requirements.txt"
    run(UV, "export", "--quiet", "--frozen", "--no-emit-project", "--output-file", requirements)
    python = ("--quiet", "--python", folder / "venv/bin/python")
    # From uv's cache, because the environment of the tests has the same packages.
    run(UV, "pip", "sync", *python, "--require-hashes", requirements)
    (wheel,) = folder.glob("*.whl")
    run(UV, "pip", "install", *python, "--no-deps", wheel)
    run(UV, "pip", "check", *python)
    return folder / "venv/bin/runai-access"


def test_an_installed_wheel_serves_a_first_token(
    installed: Path, start_server: StartServer, tmp_path: Path
) -> None:
    var = {"RUNAI_ACCESS_VAR": str(tmp_path / "var"), "DATABASE_URL": ""}
    server = start_server(environment=var, command=[str(installed), "serve"])
    page = requests.get(f"{server.url}/sign-in", timeout=30)
    style = re.search(r"/static/css/[^\"]+", page.text)
    assert style
    assert requests.get(f"{server.url}{style[0]}", timeout=30).status_code == 200
    (tmp_path / "elsewhere").mkdir()
    created = run(
        installed, "manage", "create_application", "first", "--json",
        cwd=tmp_path / "elsewhere", environment=server.environment,
    )  # fmt: skip
    client = json.loads(created)
    token = requests.post(
        f"{server.url}/api/v2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": client["clientId"],
            "client_secret": client["clientSecret"],
        },
        timeout=30,
    )
    assert token.status_code == 200, token.text
    assert (tmp_path / "var/runai-access.sqlite3").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_command_describes_itself(installed: Path) -> None:
    environment = server_environment({"PATH": os.environ["PATH"]})
    assert run(installed, "--version", environment=environment) == (
        f"runai-access {runai_access.__version__}\n"
    )
    assert "runai-access COMMAND" in run(installed, environment=environment)


def test_package_and_project_have_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == runai_access.__version__
