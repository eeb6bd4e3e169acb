"""Two replicas on one database: a revocation on one is effective on both immediately."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from applications.oauth.secret_verification import METER_SECONDS, TRIES_PER_CLIENT
from applications.oauth.secrets import new_secret
from tests import sizes
from tests.conftest import StartServer
from tests.operations.conftest import database_away, wait_until
from tests.operations.nginx import running_nginx
from tests.servers import Server, status_of

OFTEN = 6  # enough requests to reach each of the two workers


@dataclass
class Program:
    """An application with its credentials, from the client's point of view."""

    id: str
    client_id: str
    secret: str
    rule: int = 0
    tokens: list[str] = field(default_factory=list)

    def ask_for_token(self, server: Server | str) -> requests.Response:
        """Request a token from a server, or from a URL."""
        url = server.url if isinstance(server, Server) else server
        body = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
        }
        return requests.post(f"{url}/api/v2/token", data=body, timeout=30)

    def get_token(self, server: Server) -> str:
        answer = self.ask_for_token(server)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def call(
    server: Server, method: str, path: str, token: str, body: object = None
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, server.url + path, headers=headers, json=body, timeout=30)


@dataclass
class Installation:
    """Two replicas, and an application with administrator access."""

    here: Server
    there: Server
    admin: Program

    def program(self, name: str) -> Program:
        """Create an application that can view projects, and use its secret on both replicas."""
        token = self.admin.get_token(self.here)
        created = call(self.here, "POST", "/api/v1/apps", token, {"name": name}).json()
        rule = {
            "subjectId": created["clientId"], "subjectType": "app", "roleId": self._viewer(token),
            "scopeId": self._account(token), "scopeType": "tenant",
        }  # fmt: skip
        granted = call(self.here, "POST", "/api/v1/authorization/access-rules", token, rule)
        assert granted.status_code in (200, 201), granted.text
        program = Program(
            created["id"], created["clientId"], created["secret"], granted.json()["id"]
        )
        for server in (self.here, self.there):
            program.tokens += [program.get_token(server) for _ in range(OFTEN)]
        return program

    def _viewer(self, token: str) -> int:
        roles = call(self.here, "GET", "/api/v1/authorization/roles", token).json()
        return int(next(role["id"] for role in roles if role["name"] == "Viewer"))

    def _account(self, token: str) -> str:
        rules = call(self.here, "GET", "/api/v1/authorization/access-rules", token).json()
        return str(next(r["scopeId"] for r in rules["accessRules"] if r["scopeType"] == "tenant"))


@pytest.fixture(scope="module")
def installation(server_factory: StartServer) -> Iterator[Installation]:
    here = server_factory()
    there = server_factory(database=here.database, environment={"RUNAI_ACCESS_URL": here.url})
    created = here.command("create_application", "boss", "--role", "System administrator", "--json")
    assert created.returncode == 0, created.stderr
    credentials = json.loads(created.stdout)
    boss = Program("", credentials["clientId"], credentials["clientSecret"])
    yield Installation(here, there, boss)
    here.kill()
    there.kill()


def regenerate(all_: Installation, program: Program, token: str) -> None:
    path = f"/api/v1/apps/{program.id}/secret"
    assert call(all_.here, "POST", path, token, {}).status_code == 200


def disable(all_: Installation, program: Program, token: str) -> None:
    path = f"/api/v1/apps/{program.id}"
    assert call(all_.here, "PATCH", path, token, {"enabled": False}).status_code == 200


def delete(all_: Installation, program: Program, token: str) -> None:
    path = f"/api/v1/apps/{program.id}"
    assert call(all_.here, "DELETE", path, token).status_code in (200, 202, 204)


@pytest.mark.parametrize("end", [regenerate, disable, delete])
def test_secret_and_tokens_end_immediately_on_both_replicas(
    installation: Installation, end: Callable[[Installation, Program, str], None]
) -> None:
    """Zitadel CVE-2024-47000, authentik CVE-2025-64521, Vaultwarden CVE-2026-43911."""
    program = installation.program(f"ends-by-{end.__name__}")
    token = installation.admin.get_token(installation.here)
    end(installation, program, token)
    for server in (installation.there, installation.here):
        for _ in range(OFTEN):
            assert program.ask_for_token(server).status_code == 401
        for old in program.tokens:
            answer = call(server, "GET", "/api/v1/authorization/permissions", old)
            assert answer.status_code == 401, answer.text


def test_an_application_enabled_again_keeps_its_secret_not_its_tokens(
    installation: Installation,
) -> None:
    program = installation.program("comes-back")
    token = installation.admin.get_token(installation.here)
    disable(installation, program, token)
    path = f"/api/v1/apps/{program.id}"
    answer = call(installation.there, "PATCH", path, token, {"enabled": True})
    assert answer.status_code == 200, answer.text
    for server in (installation.there, installation.here):
        assert program.ask_for_token(server).status_code == 200
        for old in program.tokens:
            answer = call(server, "GET", "/api/v1/authorization/permissions", old)
            assert answer.status_code == 401


def test_a_removed_rule_affects_the_next_request_on_both_replicas(
    installation: Installation,
) -> None:
    program = installation.program("loses-its-rule")
    token = installation.admin.get_token(installation.here)
    both = (installation.there, installation.here)
    path = "/api/v1/org-unit/projects"
    assert {call(s, "GET", path, program.tokens[0]).status_code for s in both} == {200}
    rule = f"/api/v1/authorization/access-rules/{program.rule}"
    assert call(installation.here, "DELETE", rule, token).status_code in (200, 204)
    assert {call(s, "GET", path, old).status_code for s in both for old in program.tokens} == {403}


def test_replicas_count_guesses_together(installation: Installation) -> None:
    """Keycloak CVE-2024-4629: parallel guesses exceeded the limit.

    Of guesses sent to all workers of both replicas in parallel, only as many as the limit allows are
    tried; the others get 429 (RFC 6585 §4).
    """
    guessed = Program("", "guessed-everywhere", new_secret())
    both = (installation.here, installation.there)
    with ThreadPoolExecutor(8) as senders:
        asked = [senders.submit(guessed.ask_for_token, both[n % 2]) for n in range(40)]
    statuses = Counter(answer.result().status_code for answer in asked)
    assert statuses[401] <= TRIES_PER_CLIENT
    assert statuses.keys() <= {401, 429, 503}, "503: the hashing queue is full"
    for server in both:
        waits = {int(guessed.ask_for_token(server).headers.get("Retry-After", 0)) for _ in range(2)}
        assert max(waits) <= METER_SECONDS


@pytest.mark.alone
@pytest.mark.skipif(
    not sizes.IS_LARGE,
    reason="test_rolling_upgrade.py does the same and more, on PostgreSQL",
)
def test_a_rolling_restart_loses_no_request(start_server: StartServer, tmp_path: Path) -> None:
    """A refused client has sent nothing, and asks the other replica. nginx does so for its clients, but
    sends no POST to another replica once it has sent it to one."""
    settings = {"RUNAI_ACCESS_DRAIN_SECONDS": "0.5"}
    one = start_server(environment=settings)
    two = start_server(database=one.database, environment={**settings, "RUNAI_ACCESS_URL": one.url})
    created = one.command("create_application", "busy", "--role", "Viewer", "--json")
    credentials = json.loads(created.stdout)
    program = Program("", credentials["clientId"], credentials["clientSecret"])
    stop, statuses = threading.Event(), Counter[int]()

    def ask(*urls: str) -> None:
        while not stop.is_set():
            statuses[status_from_first(urls)] += 1

    def status_from_first(urls: tuple[str, ...]) -> int:
        for url in urls:
            try:
                return program.ask_for_token(url).status_code
            except requests.ConnectionError as error:
                if "refused" not in str(error):
                    raise
        return 0

    with (
        running_nginx(tmp_path, [one, two], keeps_connections=True) as keeping,
        running_nginx(tmp_path, [one, two], keeps_connections=False) as closing,
        ThreadPoolExecutor(4) as clients,
    ):
        asked = [(one.url, two.url), (two.url, one.url), (keeping,), (closing,)]
        asking = [clients.submit(ask, *urls) for urls in asked]
        try:
            for old in (one, two):
                seen = statuses.total()
                wait_until(lambda seen=seen: statuses.total() > seen + 20, "requests")  # type: ignore[misc]  # a default
                assert old.stop() == 0
                start_server(database=one.database, environment=old.environment)
        finally:
            stop.set()
    for each in asking:
        each.result()
    assert statuses.keys() == {200}


@pytest.mark.waiting
def test_during_a_database_outage_access_is_never_granted(
    start_server: StartServer,
) -> None:
    server = start_server()
    created = server.command("create_application", "patient", "--role", "Viewer", "--json")
    credentials = json.loads(created.stdout)
    program = Program("", credentials["clientId"], credentials["clientSecret"])
    stranger = Program("", credentials["clientId"], "ras_" + "x" * 50)
    token = program.get_token(server)
    # A moved SQLite file stays open in running processes, which continue to respond correctly.
    right = {503} if server.database.startswith("postgres") else {200, 503}
    ready = f"{server.url}/readyz"
    with database_away(server):
        wait_until(lambda: status_of(ready) == 503, "503 while the database is away", seconds=5)
        for _ in range(OFTEN):
            assert program.ask_for_token(server).status_code in right
            # Requests that can be refused without a query can get 401.
            assert stranger.ask_for_token(server).status_code in (401, 503)
            path = "/api/v1/authorization/permissions"
            assert call(server, "GET", path, token).status_code in right
            page = requests.get(
                f"{server.url}/applications/", cookies={"sessionid": "x" * 32}, timeout=30,
                allow_redirects=False,
            )  # fmt: skip
            # A client without a known session is redirected to sign in, without a query.
            assert page.status_code in (302, 503)
    wait_until(lambda: status_of(ready) == 200, "200 when the database is back", seconds=5)
    assert program.ask_for_token(server).status_code == 200
