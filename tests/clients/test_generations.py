"""Unmodified clients of 2.18 to 2.24 with one server."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.releases import VERSIONS, python_with
from tests.servers import Server

HERE = Path(__file__).parent
PROJECT = "project-of-generations"
WITHOUT_AUDIT_LOG = "1.218."

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def credentials(server: Server) -> dict[str, str]:
    """Client ID and secret of an administrator application. Its server has one project."""
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


@pytest.mark.parametrize("version", VERSIONS)
def test_every_generation_of_the_official_client_works(
    server: Server,
    credentials: dict[str, str],
    every_kind: list[dict[str, Any]],
    version: str,
) -> None:
    """It also parses every kind of audit event, in the same process: importing it takes long."""
    output = python_with(
        version,
        HERE / "scenario.py", server.url,
        credentials["clientId"], credentials["clientSecret"], PROJECT,
        stdin=json.dumps(every_kind),
    ).splitlines()  # fmt: skip
    assert ("audit events" in output) == (not version.startswith(WITHOUT_AUDIT_LOG))
    assert output[-1] == version
