"""Rotation of a client secret on a real server: under load, and with the scripts of the guide."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.operations.conftest import wait_until
from tests.servers import ROOT, Server

BLOCK = re.compile(r"^```sh\n#!/bin/sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDE = (ROOT / "docs/client-secrets.md").read_text(encoding="utf-8")


class Client:
    """A client that requests a token and uses it, again and again, until it is stopped."""

    def __init__(self, server: Server, name: str, secret: str, agent: str) -> None:
        self._url, self._name, self.secret, self._agent = server.url, name, secret, agent
        self.succeeded, self.failures = 0, list[str]()
        self.is_stopped = threading.Event()

    def run(self) -> None:
        with requests.Session() as session:
            session.headers["User-Agent"] = self._agent
            while not self.is_stopped.is_set():
                form = {
                    "grant_type": "client_credentials",
                    "client_id": self._name,
                    "client_secret": self.secret,
                }
                granted = session.post(f"{self._url}/api/v2/token", form, timeout=30)
                token = granted.json().get("access_token", "")
                bearer = {"Authorization": f"Bearer {token}"}
                used = session.get(
                    f"{self._url}/api/v1/authorization/permissions", headers=bearer, timeout=30
                )
                if (granted.status_code, used.status_code) == (200, 200):
                    self.succeeded += 1
                else:
                    self.failures.append(f"{granted.status_code} {used.status_code}")


@contextmanager
def running(*clients: Client) -> Iterator[None]:
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    yield
    for client in clients:
        client.is_stopped.set()
    for thread in threads:
        thread.join()


def run(server: Server, *arguments: str) -> str:
    done = server.command(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rotation_under_load_loses_no_request(server: Server) -> None:
    made = json.loads(run(server, "create_application", "rotating", "--role", "Viewer", "--json"))
    old, new = (
        Client(server, "rotating", made["clientSecret"], "old/1"),
        Client(server, "rotating", "", "new/2"),
    )

    def succeeds_again(client: Client) -> None:
        seen = client.succeeded
        wait_until(lambda: client.succeeded > seen + 2 or bool(client.failures), "more requests")

    with running(old):
        succeeds_again(old)
        added = json.loads(run(server, "add_secret", "rotating", "--json"))
        new.secret = added["clientSecret"]
        with running(new):
            succeeds_again(new)
            succeeds_again(old)
            old.secret = added["clientSecret"]
            succeeds_again(old)
            succeeds_again(old)
            first = next(
                line.split()[0]
                for line in run(server, "list_secrets", "rotating").splitlines()
                if not line.startswith(added["id"])
            )
            run(server, "revoke_secret", "rotating", first)
            succeeds_again(old)
            succeeds_again(new)
    assert (old.failures, new.failures) == ([], [])
    revoked = requests.post(
        f"{server.url}/api/v2/token",
        {
            "grant_type": "client_credentials",
            "client_id": "rotating",
            "client_secret": made["clientSecret"],
        },
        timeout=30,
    )
    assert revoked.status_code == 401


def test_scripts_of_the_guide_rotate_a_secret(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cron")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "manage.py").write_text(
        f"import runpy, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')\n"
    )
    run(server, "create_application", "my-pipeline")
    add, revoke = BLOCK.findall(GUIDE)

    def sh(script: str) -> None:
        script = script.replace("/srv/runai-access", str(folder))
        environment = {**os.environ, **server.environment}
        subprocess.run(  # the guide's own script
            ["/bin/sh", "-c", script], check=True, env=environment, capture_output=True, timeout=120
        )

    sh(add)
    stored = folder / "new-secret.json"
    assert stored.stat().st_mode & 0o077 == 0
    new = json.loads(stored.read_text())["id"]
    sh(revoke)
    listed = json.loads(run(server, "list_secrets", "my-pipeline", "--json"))
    assert [(row["id"] == new, row["status"]) for row in listed] == [
        (True, "live"),
        (False, "revoked"),
    ]
