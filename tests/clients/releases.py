"""Every minor version of the official client, each in its own Python process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version as installed_version
from pathlib import Path

from tests.conftest import skip_for_missing_tool
from tests.servers import ROOT

UV = Path(sys.executable).with_name("uv")
FOLDER = ROOT / ".venv" / "clients"
CURRENT = installed_version("runapy")


def _locked() -> Iterator[tuple[str, str]]:
    for line in (Path(__file__).parent / "runapy.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split()[0].removeprefix("runapy=="), line


LOCKED = dict(_locked())
VERSIONS = (*LOCKED, CURRENT)


def python_with(version: str, *arguments: str | Path, stdin: str = "") -> str:
    """Run Python with this version of the client, and return its output.

    If it fails, the test fails with its stderr.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": _path(version)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _path(version: str) -> str:
    """Return the folder for PYTHONPATH, or "" for the installed version."""
    if version == CURRENT:
        return ""
    folder = FOLDER / f"runapy-{version}"
    if not folder.exists():
        _install(version, folder)
    return str(folder)


def _install(version: str, folder: Path) -> None:
    if not UV.exists():
        skip_for_missing_tool("uv is not in .venv; `make test` puts it there")
    FOLDER.mkdir(exist_ok=True)
    # Renamed when complete, because tests on the other database can run at the same time.
    with tempfile.TemporaryDirectory(dir=FOLDER) as made:
        target = Path(made) / "client"
        subprocess.run(
            [
                UV, "pip", "install", "--quiet", "--no-deps", "--require-hashes",
                "--python", sys.executable, "--target", target, "--requirement", "-",
            ],
            input=LOCKED[version],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )  # fmt: skip
        with suppress(OSError):  # the other run was faster
            target.rename(folder)
