"""The threaded and asynchronous official clients, and retries: nothing is created twice."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.clients import official
from tests.servers import Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def credentials(server: Server) -> dict[str, str]:
    made = server.command(
        "create_application", "other-clients", "--role", "System administrator", "--json"
    )
    assert made.returncode == 0, made.stderr
    answer: dict[str, str] = json.loads(made.stdout)
    return answer


def configured(url: str, credentials: dict[str, str]) -> Any:
    configuration = official.Configuration(
        client_id=credentials["clientId"],
        client_secret=credentials["clientSecret"],
        runai_base_url=url,
    )
    configuration.retry_backoff_factor = 0
    return configuration


class LossyProxy(BaseHTTPRequestHandler):
    """A proxy that replaces the first response to each POST with a 503."""

    server_url = ""
    lost: Counter[tuple[str, bytes]] = Counter()

    def do_GET(self) -> None:
        self._pass_on()

    do_POST = do_DELETE = do_PATCH = do_GET

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")}
        request = urllib.request.Request(
            self.server_url + self.path, body or None, headers, method=self.command
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        is_creation = self.command == "POST" and "token" not in self.path
        if is_creation and not self.lost[self.path, body]:
            self.lost[self.path, body] += 1
            status, content = 503, b"{}"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@contextmanager
def losing_proxy(server: Server) -> Iterator[str]:
    handler = type("Handler", (LossyProxy,), {"server_url": server.url, "lost": Counter()})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def test_the_threaded_client_creates_each_application_once(
    server: Server, credentials: dict[str, str]
) -> None:
    api = official.ThreadedApiClient(configured(server.url, credentials), pool_size=8)
    client = official.RunaiClient(api)  # closes its pool when it is deleted
    applications = client.authentication_and_authorization.applications
    names = [f"threaded-{number}" for number in range(6)]
    pending = [
        applications.create_application(official.models.ApplicationCreationRequest(name=name))
        for name in names * 2
    ]
    outcomes: Counter[int] = Counter()
    for one in pending:
        try:
            outcomes[one.get(60).status_code] += 1
        except official.ApiException as error:
            outcomes[error.status] += 1
    assert outcomes == {201: 6, 409: 6}
    listed = applications.get_applications().get(60).data
    api.close()
    assert Counter(row["name"] for row in listed if row["name"] in names) == dict.fromkeys(names, 1)


def test_a_lost_response_creates_no_duplicate(server: Server, credentials: dict[str, str]) -> None:
    """The client retries a 503, also for POST, and gets a 409. The application exists once."""
    with losing_proxy(server) as url, official.ApiClient(configured(url, credentials)) as api:
        client = official.RunaiClient(api)
        access = client.authentication_and_authorization
        with pytest.raises(official.ApiException) as conflict:
            access.applications.create_application(
                official.models.ApplicationCreationRequest(name="answer-got-lost")
            )
        assert conflict.value.status == 409
        names = [row["name"] for row in access.applications.get_applications().data]
        assert names.count("answer-got-lost") == 1
        account = access.access_rules.get_access_rules(subject_ids=[credentials["clientId"]])
        scope = account.data["accessRules"][0]
        rule = official.models.AccessRuleCreationFields(
            subjectId="answer-got-lost",
            subjectType="app",
            roleId=7,
            scopeId=scope["scopeId"],
            scopeType=scope["scopeType"],
        )
        with pytest.raises(official.ApiException) as conflict:
            access.access_rules.create_access_rule(rule)
        assert conflict.value.status == 409
        made = access.access_rules.get_access_rules(subject_ids=["answer-got-lost"])
        assert made.data["totalRecords"] == 1


def test_the_asynchronous_client_reads(server: Server, credentials: dict[str, str]) -> None:
    """It can't write: it encodes JSON bodies twice (contract/README.md, Known errata)."""

    async def read() -> list[int]:
        async with official.AsyncApiClient(configured(server.url, credentials)) as api:
            client = official.RunaiClient(api)
            access = client.authentication_and_authorization
            answers = await asyncio.gather(
                access.roles.get_roles_v1(),
                access.applications.get_applications(),
                access.access_rules.get_access_rules(),
            )
        return [answer.status_code for answer in answers]

    statuses: list[int] = []
    # In another thread, because this one can have the event loop of the browser.
    thread = threading.Thread(target=lambda: statuses.extend(asyncio.run(read())))
    thread.start()
    thread.join(60)
    assert statuses == [200, 200, 200]
