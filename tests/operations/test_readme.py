"""The commands of README and the guides work in a fresh clone: `make run`, curl, Python."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import skip_for_missing_tool
from tests.operations.conftest import SlowRequest, listens, wait_until
from tests.servers import ROOT, free_port, server_environment, status_of

# Every `sh` and `python` block of these pages is run here.
GUIDES = ["README.md", "docs/getting-started.md", "docs/clients.md"]
TEXT = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in GUIDES)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALL_SECONDS = 300
SECOND_START_SECONDS = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("DATABASE_URL", "").startswith("postgres"),
        reason="README's commands use SQLite: tested in the run on SQLite",
    ),
]


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(TEXT) if name == language]


SHELL = [block for block in blocks("sh") if not block.startswith("make ")]
PYTHON = blocks("python")


@dataclass
class Clone:
    """A fresh clone of the repository, as somebody has it after `git clone`."""

    folder: Path
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        settings = {"PORT": str(self.port), "PYTHON": base_python(), "RUNAI_ACCESS_VAR": ""}
        inherited = server_environment(settings)
        ours = ("MAKE", "MFLAGS", "VIRTUAL_ENV", "UV_", "PYTEST")
        return {name: value for name, value in inherited.items() if not name.startswith(ours)}

    @property
    def installed_at(self) -> int:
        return (self.folder / ".venv" / ".run").stat().st_mtime_ns

    def make_run(self) -> subprocess.Popen[bytes]:
        with self.output.open("ab") as stream:
            return subprocess.Popen(
                ["make", "run"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def wait_until_ready(self, run: subprocess.Popen[bytes], seconds: float) -> None:
        def ready() -> bool:
            assert run.poll() is None, self.output.read_text()
            return status_of(f"{self.url}/readyz") == 200

        wait_until(ready, "make run to be ready", seconds)

    def run(self, *command: str, **variables: str) -> str:
        """Run a command in the clone, and return what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def stop(self, run: subprocess.Popen[bytes]) -> None:
        """Press Ctrl-C."""
        os.killpg(run.pid, signal.SIGINT)
        run.wait(30)


def base_python() -> str:
    """Return the Python that .venv was made with."""
    return str(Path(sys.executable).resolve())


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone that has been started once with `make run` and is running."""
    for tool in ("git", "make", "curl"):
        if shutil.which(tool) is None:
            skip_for_missing_tool(f"{tool} is not on this machine")
    folder = tmp_path_factory.mktemp("clone") / "runai-access"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    one = Clone(folder, free_port(), folder.parent / "output")
    run = one.make_run()
    try:
        one.wait_until_ready(run, INSTALL_SECONDS)
        yield one
    finally:
        one.stop(run)


@pytest.fixture(scope="module")
def credentials(clone: Clone) -> dict[str, str]:
    """The variables that the guides ask the reader to set."""
    made = json.loads(
        clone.run(
            *(".venv/bin/python", "manage.py", "create_application", "my-pipeline"),
            *("--role", "System administrator", "--json"),
        )
    )
    return {"CLIENT_ID": made["clientId"], "CLIENT_SECRET": made["clientSecret"]}


def at(clone: Clone, text: str) -> str:
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{clone.port}")


def test_guides_have_the_blocks_that_are_run_here() -> None:
    assert any("/api/v2/token" in block for block in SHELL)
    assert any("/api/v1/token" in block for block in SHELL)
    assert any("create_application" in block for block in SHELL)
    assert len(PYTHON) == 2


def test_make_run_brings_up_the_console_and_says_how_to_sign_in(clone: Clone) -> None:
    there = f"runai-access is running at {clone.url}"
    wait_until(lambda: there in clone.output.read_text(), "the start message")
    said = clone.output.read_text()
    assert re.search(r"Created the first administrator: \S+, password: ([a-z2-9]{6}-?){4}\n", said)
    assert "Loaded a small example organization." in said
    assert requests.get(clone.url, timeout=10).status_code == 200
    assert (clone.folder / "var" / "runai-access.sqlite3").exists()


def test_it_leaves_nothing_in_the_work_tree(clone: Clone) -> None:
    assert clone.run("git", "status", "--porcelain") == ""


def test_make_dist_builds_what_the_installation_guide_installs(clone: Clone) -> None:
    clone.run("make", "dist")
    guide = (ROOT / "docs/installation.md").read_text(encoding="utf-8")
    built = {path.name for path in (clone.folder / "dist").iterdir()} - {".gitignore"}
    assert built == set(re.findall(r"[\w.-]+\.(?:whl|txt)", guide))
    assert "--hash=sha256:" in (clone.folder / "dist/requirements.txt").read_text()


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.split("\n")[0][:60])
def test_shell_blocks_work(clone: Clone, credentials: dict[str, str], block: str) -> None:
    clone.run("bash", "-euo", "pipefail", "-c", at(clone, block), **credentials)


def test_curl_prints_the_projects(clone: Clone, credentials: dict[str, str]) -> None:
    block = next(block for block in SHELL if "/api/v1/org-unit/projects" in block)
    listed = json.loads(clone.run("bash", "-euc", at(clone, block), **credentials))
    assert "vision-train" in {project["name"] for project in listed["projects"]}


@pytest.mark.parametrize(
    ("module", "names"),
    [("runai", {"ci-pipeline-prod", "my-pipeline"}), ("jwt", {"my-pipeline"})],
    ids=["runai", "jwt"],
)
def test_python_blocks_work(
    clone: Clone, credentials: dict[str, str], module: str, names: set[str]
) -> None:
    imports = re.compile(rf"^(import|from) {module}\b", re.MULTILINE)
    block = next(block for block in PYTHON if imports.search(block))
    printed = clone.run(sys.executable, "-c", at(clone, block), **credentials)
    assert {name for name in names if name in printed} == names


def test_ctrl_c_finishes_running_requests_and_a_second_run_changes_nothing(clone: Clone) -> None:
    # A separate port, because the first run still serves other tests.
    again = Clone(clone.folder, free_port(), clone.folder.parent / "second-output")
    installed = clone.installed_at
    run = again.make_run()
    try:
        again.wait_until_ready(run, SECOND_START_SECONDS)
        assert clone.installed_at == installed, "nothing is installed again"
        wait_until(lambda: "Ctrl-C" in again.output.read_text(), "the start message")
        said = again.output.read_text()
        assert "password:" not in said
        assert "Loaded" not in said
        assert "reset_password" in said
        request = SlowRequest(again.port)
        os.killpg(run.pid, signal.SIGINT)
        wait_until(lambda: not listens(again.port), "the server to accept nothing new")
        assert request.finish().startswith(b"HTTP/1.1 401")
        # make waits for the server and then ends by the signal, as every program at a terminal.
        assert run.wait(30) in (0, -signal.SIGINT)
        assert "Error" not in again.output.read_text()
    finally:
        if run.poll() is None:
            again.stop(run)
