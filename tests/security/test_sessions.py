"""A user's sessions end immediately on all replicas."""

import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests

from tests.conftest import StartServer
from tests.servers import Server

pytestmark = pytest.mark.slow

OFTEN = 4  # enough requests to reach each of the two workers
PASSWORD = "a-password-of-my-own"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SUBMISSION = re.compile(r'name="submission" value="([^"]+)"')
SECRET = re.compile(r'id="issued-secret"[^>]*>([^<]+)<')


@dataclass
class Browser:
    """A browser without scripts; its cookies are valid on every replica."""

    server: Server
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, *, at: Server | None = None) -> requests.Response:
        url = (at or self.server).url + path
        return self.session.get(url, timeout=30, allow_redirects=False)

    def send(self, path: str, **fields: str) -> requests.Response:
        """Fill in and submit the form at `path`."""
        page = self.session.get(self.server.url + path, timeout=30).text
        hidden = {"csrfmiddlewaretoken": TOKEN, "submission": SUBMISSION}
        found = {name: pattern.search(page) for name, pattern in hidden.items()}
        carried = {name: match[1] for name, match in found.items() if match}
        return self.session.post(
            self.server.url + path, {**carried, **fields}, timeout=30, allow_redirects=False
        )

    def sign_in(self, email: str, password: str) -> requests.Response:
        return self.send("/sign-in/", email=email, password=password)

    def is_in(self, server: Server) -> bool:
        """Return whether a replica accepts the session, for pages and for the API."""
        pages = {self.get("/account/", at=server).status_code for _ in range(OFTEN)}
        api = "/api/v1/authorization/permissions"
        calls = {self.get(api, at=server).status_code for _ in range(OFTEN)}
        assert (pages, calls) in (({200}, {200}), ({302}, {401})), (pages, calls)
        return pages == {200}


@dataclass
class Replicas:
    """Two replicas, an administrator, and signed-in users."""

    here: Server
    there: Server
    admin: Browser

    def create(self) -> tuple[str, str, str]:
        """Create a user; return email, ID and temporary password."""
        email = f"{secrets.token_hex(6)}@acme.example"
        created = self.admin.send("/users/new/", email=email)
        password = SECRET.search(created.text)
        assert created.status_code == 200
        assert password
        people = self.admin.get(f"/api/v1/users?filterBy=username=={email}").json()
        return email, people[0]["id"], password[1]

    def browser(self, email: str, password: str = PASSWORD) -> Browser:
        """Sign a user in and use the session on both replicas."""
        browser = Browser(self.here)
        assert browser.sign_in(email, password).status_code == 302
        assert browser.is_in(self.here)
        assert browser.is_in(self.there)
        return browser

    def person(self) -> tuple[str, str]:
        """Create a user with a chosen password; return email and ID."""
        email, id_, temporary = self.create()
        first = Browser(self.here)
        first.sign_in(email, temporary)
        chosen = first.send("/account/password/", current=temporary, new=PASSWORD, again=PASSWORD)
        assert chosen.status_code == 302
        return email, id_


@pytest.fixture(scope="module")
def replicas(server_factory: StartServer) -> Iterator[Replicas]:
    here = server_factory()
    there = server_factory(database=here.database, environment={"RUNAI_ACCESS_URL": here.url})
    admin = Browser(here)
    assert admin.sign_in(here.admin_email, here.admin_password).status_code == 302
    yield Replicas(here, there, admin)
    here.kill()
    there.kill()


def reset(all_: Replicas, id_: str, _: Browser) -> None:
    assert all_.admin.send(f"/users/{id_}/reset-password/").status_code == 200


def disable(all_: Replicas, id_: str, _: Browser) -> None:
    assert all_.admin.send(f"/users/{id_}/disable/").status_code == 302


def disable_and_enable(all_: Replicas, id_: str, other: Browser) -> None:
    disable(all_, id_, other)
    assert all_.admin.send(f"/users/{id_}/enable/").status_code == 302


def sign_out_everywhere(_: Replicas, __: str, other: Browser) -> None:
    assert other.send("/account/sign-out-everywhere/").status_code == 302
    assert not other.is_in(other.server)


def change_password(_: Replicas, __: str, other: Browser) -> None:
    new = "another-password-of-mine"
    sent = other.send("/account/password/", current=PASSWORD, new=new, again=new)
    assert sent.status_code == 302
    assert other.is_in(other.server), "the session that changed it continues"


@pytest.mark.parametrize(
    "end", [reset, disable, disable_and_enable, sign_out_everywhere, change_password]
)
def test_every_session_ends_immediately_on_both_replicas(
    replicas: Replicas, end: Callable[[Replicas, str, Browser], None]
) -> None:
    email, id_ = replicas.person()
    browser, other = replicas.browser(email), replicas.browser(email)
    end(replicas, id_, other)
    for server in (replicas.there, replicas.here):
        assert not browser.is_in(server)


def test_signing_out_ends_only_this_session(replicas: Replicas) -> None:
    email, _ = replicas.person()
    browser, other = replicas.browser(email), replicas.browser(email)
    kept = dict(browser.session.cookies)
    token = TOKEN.search(browser.get("/account/").text)
    assert token
    signed_out = browser.session.post(
        f"{replicas.here.url}/sign-out/", {"csrfmiddlewaretoken": token[1]}, timeout=30,
        allow_redirects=False,
    )  # fmt: skip
    assert signed_out.status_code == 302
    stolen = Browser(replicas.here)
    stolen.session.cookies.update(kept)
    for server in (replicas.there, replicas.here):
        assert not stolen.is_in(server)
        assert other.is_in(server)


def test_a_temporary_password_only_allows_choosing_a_new_one(
    replicas: Replicas,
) -> None:
    email, _, temporary = replicas.create()
    browser = Browser(replicas.here)
    assert browser.sign_in(email, temporary).status_code == 302
    for server in (replicas.there, replicas.here):
        for _ in range(OFTEN):
            answer = browser.get("/applications/", at=server)
            assert answer.headers["Location"].startswith("/account/password/")
            assert browser.get("/api/v1/users", at=server).status_code == 403
    assert temporary not in replicas.here.output + replicas.there.output


def test_the_session_cookie_is_http_only_and_new_at_sign_in(replicas: Replicas) -> None:
    email, _ = replicas.person()
    browser = Browser(replicas.here)
    name = replicas.here.cookie("session")
    browser.session.cookies.set(name, planted := uuid.uuid4().hex)
    answer = browser.sign_in(email, PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"{name}={planted}" not in cookie
