"""Clients that write through the API under load and track the answer to each request."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests

from tests.servers import Server

RULES = "/api/v1/authorization/access-rules"
ROLES = ("Viewer", "Editor")
REQUEST_SECONDS = 120
# How long a request without an answer, or answered with 429 or 503, is retried.
RETRY_SECONDS = 60.0
# How long to wait without a Retry-After, and the longest wait of a writer.
DEFAULT_WAIT = 1.0
LONGEST_WAIT = 5.0
# Time limit for the answers after which the server is killed.
ANSWERS_SECONDS = 120.0


@dataclass(frozen=True)
class Reply:
    """The reply to a request; `status` is 0 if the connection failed or timed out."""

    status: int
    time: datetime
    document: Any = field(default=None, repr=False)  # can contain a secret
    error: str = ""
    retry_after: float = 0

    @property
    def is_success(self) -> bool:
        """True for 2xx: only then must the database contain the write."""
        return 200 <= self.status < 300

    @property
    def is_refused(self) -> bool:
        return self.status != 0 and not self.is_success

    @property
    def is_retryable(self) -> bool:
        return self.status in (0, 429, 503)


def send(session: requests.Session, method: str, url: str, **options: Any) -> Reply:
    """Send one request. A response that breaks off or can't be parsed counts as no response."""
    try:
        response = session.request(
            method, url, timeout=REQUEST_SECONDS, allow_redirects=False, **options
        )
        now = datetime.now(UTC)
        is_success = response.status_code // 100 == 2
        document = response.json() if is_success and response.content else {}
    except requests.RequestException as error:
        return Reply(0, datetime.now(UTC), error=str(error), retry_after=DEFAULT_WAIT)
    seconds = response.headers.get("Retry-After", "")
    return Reply(
        response.status_code,
        now,
        document,
        error="" if is_success else response.text[:300],
        retry_after=float(seconds) if seconds.isdecimal() else DEFAULT_WAIT,
    )


def retry(attempt: Callable[[], Reply], seconds: float = RETRY_SECONDS) -> Reply:
    """Repeat `attempt` after its Retry-After while it is retryable; return the last reply."""
    deadline = time.monotonic() + seconds
    while True:
        reply = attempt()
        wait = max(reply.retry_after, 0.1)
        if not reply.is_retryable or time.monotonic() + wait > deadline:
            return reply
        time.sleep(wait)


def ask_for_token(server: Server, client_id: str, secret: str) -> Reply:
    """Request a token; retry while the server is busy: 429 and 503 don't concern the secret."""
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    with requests.Session() as session:
        return retry(lambda: send(session, "POST", f"{server.url}/api/v2/token", data=body))


@dataclass
class Access:
    """The credentials of the administrator application that the writers use."""

    client_id: str
    secret: str = field(repr=False)

    @classmethod
    def of_administrator(cls, server: Server, name: str = "boss") -> "Access":
        """Create an application that has every permission."""
        role = ("--role", "System administrator")
        done = server.command("create_application", name, *role, "--json")
        assert done.returncode == 0, done.stderr
        created = json.loads(done.stdout)
        return cls(created["clientId"], created["clientSecret"])

    def token(self, server: Server) -> str:
        reply = ask_for_token(server, self.client_id, self.secret)
        assert reply.status == 200, reply
        return str(reply.document["access_token"])


@dataclass(frozen=True)
class Answer:
    """A write that was answered with 2xx; from then on the database must contain it."""

    step: str
    method: str
    path: str
    status: int
    time: datetime

    def __str__(self) -> str:
        request = f"{self.method} {self.path} ({self.step})"
        return f"{request} answered {self.status} at {self.time_text}"

    @property
    def time_text(self) -> str:
        return self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class TrackedApplication:
    """The state of an application as its client knows it from the answers."""

    name: str
    answers: list[Answer] = field(default_factory=list)
    id: str = ""
    secret: str = field(default="", repr=False)
    # Access rules by ID, each with the answer to its creation.
    rules: dict[int, Answer] = field(default_factory=dict)
    # The step that was refused or not answered. It is applied completely or not at all.
    undecided: str = ""
    refused_with: int = 0

    def add_reply(self, step: str, method: str, path: str, reply: Reply) -> None:
        """Store a success as an answer, and anything else as undecided."""
        if not reply.is_success:
            self.undecided, self.refused_with = step, reply.status
            return
        answer = Answer(step, method, path, reply.status, reply.time)
        self.answers.append(answer)
        self.id = self.id or reply.document.get("id", "")
        self.secret = reply.document.get("secret") or self.secret
        if step == "grant":
            self.rules[reply.document["id"]] = answer

    def answer_to(self, *steps: str) -> Answer | None:
        """Return the last answer to one of these steps."""
        return next((answer for answer in reversed(self.answers) if answer.step in steps), None)

    @property
    def is_in_doubt(self) -> bool:
        """True if the last request was not answered at all."""
        return bool(self.undecided) and not self.refused_with

    @property
    def can_sign_in(self) -> bool:
        """True if, according to the answers, its last secret is valid."""
        return (
            bool(self.answers)
            and self.undecided not in ("secret", "disable", "delete")
            and self.answer_to("disable") is None
        )


class Writers:
    """Clients that write concurrently while others read.

    `applications` contains the answers. Only a 2xx answer acknowledges a write; refused requests are
    counted by status, and requests without an answer are kept in `failures` unless the server was
    killed.
    """

    def __init__(
        self,
        server: Server,
        access: Access,
        *,
        writers: int,
        readers: int = 2,
        prefix: str = "",
    ) -> None:
        self.server = server
        self.applications: list[TrackedApplication] = []
        self.refused_writes: Counter[int] = Counter()
        self.refused_reads: Counter[int] = Counter()
        self.refusals: dict[int, str] = {}  # one example per status
        self.failures: list[str] = []
        self.is_cut_short = False
        self._access, self._prefix = access, prefix or f"app-{uuid4().hex[:8]}"
        self._token, self._grants = "", list[dict[str, Any]]()
        self._lock, self._answers = threading.Lock(), threading.Semaphore(0)
        self._stop, self._killed = threading.Event(), threading.Event()
        # Daemon threads: they must not keep an interrupted program running.
        self._writers = [
            threading.Thread(target=self._write, args=[number], daemon=True)
            for number in range(writers)
        ]
        self._readers = [
            threading.Thread(target=self._read, args=[number], daemon=True)
            for number in range(readers)
        ]
        self._laps = 10**9

    def finish(self, laps: int) -> None:
        """Let each writer create `laps` applications, and wait for all of them."""
        self._laps = laps
        self._start()
        for thread in self._writers:
            thread.join()
        self._stop.set()
        for thread in self._readers:
            thread.join()

    def kill_after(self, answers: int) -> None:
        """Kill the server after this number of answers, or after ANSWERS_SECONDS."""
        self._start()
        deadline = time.monotonic() + ANSWERS_SECONDS
        try:
            for _ in range(answers):
                if not self._answers.acquire(timeout=max(0, deadline - time.monotonic())):
                    self.is_cut_short = True
                    break
        finally:
            self._killed.set()
            self.server.kill()
            self._stop.set()
        for thread in (*self._writers, *self._readers):
            thread.join()

    def _start(self) -> None:
        self._prepare()
        for thread in (*self._writers, *self._readers):
            thread.start()

    def _prepare(self) -> None:
        self._token = self._access.token(self.server)
        with self._session() as session:
            self._grants = list(_grants(session, self.server))

    def _session(self) -> requests.Session:
        """Return a session that is signed in and keeps its connection open."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self._token}"
        return session

    def _write(self, number: int) -> None:
        session = self._session()
        for lap in range(self._laps):
            application = TrackedApplication(f"{self._prefix}-{number}-{lap}")
            self.applications.append(application)
            for step, method, path, body in self._steps(application, deletes=lap % 3 == 2):
                reply = self._ask(session, method, path, body)
                application.add_reply(step, method, path, reply)
                if self._must_stop_after(reply):
                    return
                if not reply.is_success:
                    break  # leave it undecided and continue with the next
                self._answers.release()

    def _steps(
        self, application: TrackedApplication, *, deletes: bool
    ) -> Iterator[tuple[str, str, str, Any]]:
        """Yield step, method, path and body; later steps use the answers to earlier ones."""
        yield "create", "POST", "/api/v1/apps", {"name": application.name}
        for grant in self._grants:
            yield "grant", "POST", RULES, {**grant, "subjectId": application.name}
        yield "secret", "POST", f"/api/v1/apps/{application.id}/secret", None
        yield "revoke", "DELETE", f"{RULES}/{next(iter(application.rules))}", None
        yield "disable", "PATCH", f"/api/v1/apps/{application.id}", {"enabled": False}
        if deletes:
            yield "delete", "DELETE", f"/api/v1/apps/{application.id}", None

    def _read(self, number: int) -> None:
        session = self._session()
        path = ("/api/v1/apps?limit=100", f"{RULES}?limit=100", f"{RULES}/count")[number % 3]
        while not self._must_stop_after(self._ask(session, "GET", path)):
            pass

    def _must_stop_after(self, reply: Reply) -> bool:
        """Return whether to send nothing more; wait first if the request failed."""
        if reply.is_success:
            return self._stop.is_set()
        return self._killed.is_set() or self._stop.wait(min(reply.retry_after, LONGEST_WAIT))

    def _ask(self, session: requests.Session, method: str, path: str, body: Any = None) -> Reply:
        reply = send(session, method, self.server.url + path, json=body)
        request = f"{method} {path}: {reply.status} {reply.error}"
        with self._lock:
            if reply.is_refused:
                refused = self.refused_reads if method == "GET" else self.refused_writes
                refused[reply.status] += 1
                self.refusals.setdefault(reply.status, request)
            elif not reply.is_success and not self._killed.is_set():
                self.failures.append(request)
        return reply


def _grants(session: requests.Session, server: Server) -> Iterator[dict[str, Any]]:
    """Yield the access rules to grant, without their subjects."""

    def get(path: str) -> Any:
        reply = retry(lambda: send(session, "GET", server.url + path))
        assert reply.is_success, reply
        return reply.document

    rules = get(RULES)["accessRules"]
    account = next(rule["scopeId"] for rule in rules if rule["scopeType"] == "tenant")
    for role in get("/api/v1/authorization/roles"):
        if role["name"] in ROLES:
            yield {
                "subjectType": "app", "roleId": role["id"],
                "scopeId": account, "scopeType": "tenant",
            }  # fmt: skip
