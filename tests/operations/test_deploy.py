"""The files of deploy/ are valid for the tools that read them, and use settings that exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate  # type: ignore[import-untyped]  # has no types
import pytest
import yaml

from tests.conftest import skip_for_missing_tool
from tests.operations.test_docs import README, SETTING_ROW
from tests.servers import ROOT

DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm/runai-access"
VALUES = sorted((DEPLOY / "helm/values").glob("*.yaml"))
KUBERNETES = "1.33"

pytestmark = pytest.mark.any_database


def tool(name: str) -> str:
    path = f"{ROOT / '.venv/bin'}:/usr/sbin:/usr/bin:/usr/local/bin"
    found = shutil.which(name) or shutil.which(name, path=path)
    if found is None:
        skip_for_missing_tool(f"{name} is not installed")
    return found


def run(*command: str | Path) -> str:
    """Run a tool that must succeed; return its standard output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rendered(values: Path) -> dict[str, dict[str, Any]]:
    """Return the manifests of the chart by kind."""
    text = run(tool("helm"), "template", "trial", CHART, "--values", values)
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(text)}


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_the_chart_renders_valid_manifests(values: Path) -> None:
    manifests = rendered(values)
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    for kind in ("Deployment", "Job"):
        pod = manifests[kind]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        [container] = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert all("emptyDir" in volume for volume in pod["volumes"])
        secret = {"RUNAI_ACCESS_SECRET_KEY", "DATABASE_URL"}
        by_reference = {entry["name"] for entry in container["env"] if "valueFrom" in entry}
        assert secret <= by_reference
    run(tool("helm"), "lint", "--strict", CHART, "--values", values)


def test_the_chart_keeps_a_pod_until_its_requests_are_answered() -> None:
    pod = rendered(DEPLOY / "helm/values/minimal.yaml")["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    settings = {entry["name"]: entry.get("value") for entry in container["env"]}
    drain = int(settings["RUNAI_ACCESS_DRAIN_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] >= drain + 25
    probe = container["readinessProbe"]
    assert drain >= probe["periodSeconds"] * probe["failureThreshold"] + 1


def test_chart_and_package_have_the_same_version() -> None:
    from runai_access import __version__

    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert {chart["version"], chart["appVersion"]} == {__version__}
    assert f"image: runai-access:{__version__}" in (DEPLOY / "container/compose.yaml").read_text()


def test_the_compose_file_is_valid() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    file = DEPLOY / "container/compose.yaml"
    run(sys.executable, "-m", "check_jsonschema", *schema, file)


def test_the_first_lines_of_the_compose_file_create_its_secrets(tmp_path: Path) -> None:
    file = DEPLOY / "container/compose.yaml"
    commands = re.findall(r"^#   (.*)$", file.read_text(), re.MULTILINE)
    subprocess.run(["bash", "-euc", "\n".join(commands)], cwd=tmp_path, check=True, timeout=60)
    used = yaml.safe_load(file.read_text())["secrets"]
    certificate = {"tls.crt", "tls.key"}
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == used.keys() - certificate
    url = urlsplit((tmp_path / "secrets/database_url").read_text().strip())
    assert url.password == (tmp_path / "secrets/postgres_password").read_text().strip()


def test_the_systemd_unit_is_valid(tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd/runai-access.service").read_text()
    command = "/opt/runai-access/bin/runai-access"
    assert command in unit
    # The command must exist where it is verified.
    (tmp_path / "runai-access.service").write_text(unit.replace(command, sys.executable))
    run(tool("systemd-analyze"), "verify", tmp_path / "runai-access.service")


def test_nginx_accepts_its_snippet(tmp_path: Path) -> None:
    snippet = (DEPLOY / "proxy/nginx.conf").read_text()
    # No certificate and no other host exist where it is checked.
    snippet = re.sub(r"ssl_certificate.*;| ssl(?=;)", "", snippet).replace(
        "app:8000", "127.0.0.1:8000"
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}} http {{ {snippet} }}"
    )
    run(tool("nginx"), "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf")


def test_haproxy_accepts_its_snippet(tmp_path: Path) -> None:
    snippet = (DEPLOY / "proxy/haproxy.cfg").read_text()
    snippet = snippet.replace(" ssl crt /etc/haproxy/certificate.pem", "")
    (tmp_path / "haproxy.cfg").write_text(snippet)
    run(tool("haproxy"), "-c", "-f", tmp_path / "haproxy.cfg")


def test_files_use_settings_that_exist() -> None:
    known = set(SETTING_ROW.findall(README.read_text()))
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    used = {
        name for path in files for name in re.findall(r"RUNAI_ACCESS_[A-Z_]+\b", path.read_text())
    }
    assert used - known == set()
