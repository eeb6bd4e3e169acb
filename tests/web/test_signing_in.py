"""The sign-in page and sessions."""

import re
import uuid
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from accessrules.actions.subjects import set_subject_enabled
from runai_access import environment
from runai_access.accounts import signin
from runai_access.accounts.models import User
from runai_access.errors import Busy
from tests import factories
from tests.web.conftest import DIALOG, SignedIn, text_of

SIGN_IN = "/sign-in/"
PASSWORD = "correct-horse-battery-staple"
WRONG = "Incorrect email or password."
START, LIST = "/", "/applications/"

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", "System administrator", password=PASSWORD)


def _sent(client: Client, password: str = PASSWORD, **fields: str) -> object:
    return client.post(SIGN_IN, {"email": "rosa@acme.example", "password": password, **fields})


def test_sign_in_returns_to_the_requested_page(client: Client, rosa: User) -> None:
    wanted = f"{LIST}?sort=-application"
    redirect = client.get(wanted)
    assert redirect.status_code == 302
    assert redirect.url == f"{SIGN_IN}?next=/applications/%3Fsort%3D-application"
    assert f'name="next" value="{wanted}"' in client.get(redirect.url).content.decode()
    assert _sent(client, next=wanted).url == wanted
    assert client.get(wanted).status_code == 200


def test_sign_in_opens_the_start_page(client: Client, rosa: User) -> None:
    answer = _sent(client)
    assert (answer.status_code, answer.url) == (302, START)


def test_email_ignores_case_and_spaces(client: Client, rosa: User) -> None:
    answer = client.post(SIGN_IN, {"email": " Rosa@ACME.example ", "password": PASSWORD})
    assert answer.status_code == 302


NOT_LOCAL = [
    "https://evil.example/", "//evil.example/", "///evil.example/", "/\\evil.example",
    "\\/evil.example", "javascript:alert(1)", "http://testserver/users/", "http:///users/",
    "https:users", "abc", "home", "users/", "?a=b", "#x", " /users/", "\x00/users/",
]  # fmt: skip


@pytest.mark.parametrize("next_", NOT_LOCAL)
def test_next_is_a_local_path_or_the_start_page(client: Client, rosa: User, next_: str) -> None:
    assert _sent(client, next=next_).url == START
    assert client.get(SIGN_IN, {"next": next_}).url == START


@pytest.mark.parametrize("next_", NOT_LOCAL)
def test_theme_is_kept_and_next_is_a_local_path(rosa: User, as_: SignedIn, next_: str) -> None:
    answer = as_(rosa).post("/theme/", {"theme": "dark", "next": next_})
    assert (answer.status_code, answer.cookies["theme"].value) == (302, "dark")
    assert answer.url == START


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("help@acme.example", 'href="mailto:help@acme.example"'),
        ("https://acme.example/help", 'href="https://acme.example/help"'),
        ("the service desk", None),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_page_says_whom_to_ask(
    client: Client, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    contact: str, link: str | None,
) -> None:  # fmt: skip
    monkeypatch.setenv("RUNAI_ACCESS_HELP_CONTACT", contact)
    settings.HELP_CONTACT = environment.help_contact()
    answer = client.get(SIGN_IN)
    asked = contact or "an administrator of acme"
    assert f"Can't sign in? Ask {asked} ." in text_of(answer).replace(f"{asked}.", f"{asked} .")
    content = answer.content.decode()
    assert link in content if link else "mailto:" not in content and "<a" not in content


@pytest.mark.parametrize("contact", ["x" * 201, "two\nlines"])
def test_contact_must_be_one_short_line(monkeypatch: pytest.MonkeyPatch, contact: str) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_HELP_CONTACT", contact)
    with pytest.raises(ImproperlyConfigured):
        environment.help_contact()


def test_signed_in_user_is_redirected(rosa: User, as_: SignedIn) -> None:
    assert as_(rosa).get(SIGN_IN, {"next": "//evil.example"}).url == START


@pytest.mark.parametrize("email", ["rosa@acme.example", "nobody@acme.example"])
def test_wrong_password_and_unknown_user_get_the_same_error(
    client: Client, rosa: User, email: str
) -> None:
    answer = client.post(SIGN_IN, {"email": email, "password": "wrong"})
    assert answer.status_code == 422
    assert WRONG in text_of(answer)
    assert f'value="{email}"' in answer.content.decode()
    assert client.get(LIST).status_code == 302


def test_password_is_never_rendered(client: Client, rosa: User) -> None:
    assert b"a-typed-secret" not in _sent(client, "a-typed-secret").content


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"password": "x"}, "Enter your email."),
        ({"email": "rosa@acme.example"}, "Enter your password."),
        ({"email": "r" * 300, "password": "x"}, WRONG),
        ({"email": "rosa@acme.example", "password": "x" * 2000}, WRONG),
        ({"email": "ro\x00sa@acme.example", "password": "x"}, "Null characters are not allowed."),
    ],
)
def test_invalid_input_shows_an_error_and_costs_no_hash(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str],
    expected: str,
) -> None:
    monkeypatch.setattr(signin, "sign_in", lambda *_, **__: pytest.fail("the password was hashed"))
    answer = client.post(SIGN_IN, fields)
    assert answer.status_code == 422
    assert expected in text_of(answer)


def test_after_five_failures_the_right_password_must_wait(client: Client, rosa: User) -> None:
    for _ in range(5):
        assert _sent(client, "wrong").status_code == 422
    answer = _sent(client)
    assert answer.status_code == 429
    assert "Too many failed attempts. Try again in 15 minutes." in text_of(answer)
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert client.get(LIST).status_code == 302


def test_locked_address_must_wait_for_any_user(rosa: User, settings: Settings) -> None:
    settings.SIGN_IN_ADDRESS_FAILURES = 3
    browser = Client(REMOTE_ADDR="192.0.2.1")
    for number in range(3):
        wrong = {"email": f"invented-{number}@acme.example", "password": "wrong"}
        assert browser.post(SIGN_IN, wrong).status_code == 422
    answer = _sent(browser)
    assert answer.status_code == 429
    expected = "Too many failed attempts from your network. Try again in 15 minutes."
    assert expected in text_of(answer)
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert _sent(Client(REMOTE_ADDR="192.0.2.2")).status_code == 302


@pytest.mark.parametrize("email", ["rosa@acme.example", "nobody@acme.example"])
def test_user_under_attack_must_wait_at_a_new_address(
    rosa: User, settings: Settings, email: str
) -> None:
    settings.SIGN_IN_USER_FAILURES = 3
    home = Client(REMOTE_ADDR="192.0.2.1")
    assert _sent(home).status_code == 302
    wrong = {"email": email, "password": "wrong"}
    statuses = [
        Client(REMOTE_ADDR=f"203.0.113.{number}").post(SIGN_IN, wrong).status_code
        for number in range(5)
    ]
    assert statuses == [422] * 4 + [429]
    answer = Client(REMOTE_ADDR="203.0.113.99").post(SIGN_IN, {**wrong, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
    expected = "Too many failed attempts with this email. Try again in 10 seconds."
    assert expected in text_of(answer)
    assert _sent(home).status_code == 302


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second."), (59, "59 seconds."), (60, "1 minute."), (61, "2 minutes."),
        (900, "15 minutes."), (7_200, "2 hours."), (86_400, "24 hours."), (259_200, "3 days."),
    ],
)  # fmt: skip
def test_wait_is_shown_in_one_unit(
    client: Client, monkeypatch: pytest.MonkeyPatch, seconds: int, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise signin.TooManyFailures(seconds)

    monkeypatch.setattr(signin, "sign_in", refuse)
    assert f"Try again in {said}" in text_of(_sent(client))


def test_busy_server_asks_to_retry(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy("Too many sign-ins at the same time.", retry_after=5)

    monkeypatch.setattr(signin, "sign_in", busy)
    answer = _sent(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Try again in a moment" in text_of(answer)


def test_session_of_a_disabled_user_ends(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    factories.person("other@acme.example", "System administrator")
    assert browser.get(LIST).status_code == 200
    set_subject_enabled(rosa.subject, enabled=False)
    assert browser.get(LIST).url == f"{SIGN_IN}?next={LIST}&session=ended"


def test_disabled_user_cannot_sign_in(client: Client, rosa: User) -> None:
    factories.person("other@acme.example", "System administrator")
    set_subject_enabled(rosa.subject, enabled=False)
    answer = _sent(client)
    assert answer.status_code == 422
    assert WRONG in text_of(answer)


def test_sign_out_requires_a_post(rosa: User, as_: SignedIn) -> None:
    browser = as_(rosa)
    assert browser.get("/sign-out/").status_code == 405
    assert browser.get(LIST).status_code == 200
    assert browser.post("/sign-out/").url == SIGN_IN
    assert browser.get(LIST).status_code == 302


def test_signing_out_twice_is_allowed(client: Client) -> None:
    assert client.post("/sign-out/").url == SIGN_IN


def test_sign_in_requires_a_csrf_token(rosa: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert _sent(browser).status_code == 403
    assert settings.SESSION_COOKIE_NAME not in browser.cookies


# Ended sessions, and pages older than the session.

CREATE = "/applications/new/"
FILTERED = f"{LIST}?search=ci&sort=-name"


def _without_session(client: Client) -> Client:
    """A browser with the cookie of an ended session."""
    client.cookies[settings.SESSION_COOKIE_NAME] = "over"
    return client


def _next(address: str) -> str:
    assert urlsplit(address).path == SIGN_IN
    return parse_qs(urlsplit(address).query)["next"][0]


@pytest.mark.parametrize("target", ["listing", "dialog"])
def test_htmx_request_after_the_session_returns_to_its_page(client: Client, target: str) -> None:
    for address in (FILTERED, f"{CREATE}?from={quote(FILTERED)}"):
        answer = _without_session(client).get(
            address, headers={"HX-Request": "true", "HX-Target": target}
        )
        assert _next(answer.headers["HX-Redirect"]) == address
        assert b"password" not in answer.content


def test_dialog_submitted_after_the_session_is_reopened(client: Client) -> None:
    answer = _without_session(client).post(
        "/applications/bulk/delete/",
        {"selected": ["a", "b"], "from": FILTERED, "name": "typed"},
        headers={**DIALOG, "HX-Current-URL": f"http://testserver{LIST}"},
    )
    address = _next(answer.headers["HX-Redirect"])
    assert urlsplit(address).path == "/applications/bulk/delete/"
    query = parse_qs(urlsplit(address).query)
    assert query == {"selected": ["a", "b"], "from": [FILTERED]}
    assert answer.headers["X-Keep-Form"] == "true"


@pytest.mark.parametrize("name", ["HX-Current-URL", "Referer"])
def test_form_without_a_page_returns_to_its_current_page(client: Client, name: str) -> None:
    headers = {name: f"http://testserver{FILTERED}"}
    answer = _without_session(client).post("/applications/page-size/", headers=headers)
    assert _next(answer.url) == FILTERED


@pytest.mark.parametrize(
    "elsewhere",
    ["", "https://evil.example//evil.example/", "javascript:alert(1)", "//evil", "http://["],
)
def test_sign_in_never_redirects_to_another_host(client: Client, elsewhere: str) -> None:
    answer = client.post("/applications/page-size/", headers={"Referer": elsewhere})
    assert _next(answer.url) == "/"


@pytest.mark.parametrize("header", ["HX-Current-URL", "Referer"])
def test_invalid_current_url_is_ignored(rosa: User, header: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rosa)
    answer = browser.post(
        "/applications/page-size/", headers={"HX-Request": "true", header: "http://["}
    )
    assert answer.headers["HX-Redirect"] == "/"


@pytest.mark.parametrize(("count", "path"), [(100, "/applications/bulk/delete/"), (1000, LIST)])
def test_bulk_dialog_after_the_session_keeps_up_to_a_page_of_rows(
    client: Client, count: int, path: str
) -> None:
    rows = [str(uuid.uuid4()) for _ in range(count)]
    answer = _without_session(client).post(
        "/applications/bulk/delete/", {"selected": rows, "from": FILTERED}, headers=DIALOG
    )
    address = urlsplit(_next(answer.headers["HX-Redirect"]))
    assert address.path == path
    assert parse_qs(address.query).get("selected", rows if count > 100 else []) == rows


def test_sign_in_page_says_that_the_session_ended(client: Client) -> None:
    ended = _without_session(client).get(FILTERED)
    assert "Your session has ended. Sign in to continue." in text_of(client.get(ended.url))
    assert "session has ended" not in text_of(Client().get(Client().get(FILTERED).url))


def test_second_tab_continues_after_the_first_signs_in(rosa: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    token = _token(browser.get(SIGN_IN))
    fields = {"email": rosa.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert browser.post(SIGN_IN, fields).status_code == 302
    second = browser.post(SIGN_IN, {**fields, "next": FILTERED})
    assert (second.status_code, second.url) == (302, FILTERED)
    assert browser.post(SIGN_IN, {**fields, "next": "//evil.example"}).url == "/"


def test_expired_sign_in_form_keeps_the_email(rosa: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(SIGN_IN, {"email": rosa.email, "password": "x", "next": FILTERED})
    assert answer.status_code == 403
    content = answer.content.decode()
    assert "This page has expired. Enter your password again." in content
    assert f'value="{rosa.email}"' in content
    fields = {"email": rosa.email, "password": PASSWORD, "next": FILTERED}
    again = browser.post(SIGN_IN, {**fields, "csrfmiddlewaretoken": _token(answer)})
    assert again.url == FILTERED


def test_dialog_older_than_the_session_is_reopened(rosa: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rosa)
    answer = browser.post(CREATE, {"name": "typed", "from": FILTERED}, headers=DIALOG)
    assert answer.headers["HX-Redirect"] == f"{CREATE}?from={quote(FILTERED, safe='')}"
    assert answer.headers["X-Keep-Form"] == "true"
    page = text_of(browser.get(answer.headers["HX-Redirect"]))
    assert "This form has expired. Check it and submit it again." in page


def test_expired_form_shows_an_error_page(rosa: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rosa)
    text = text_of(browser.post(CREATE, {"name": "typed"}))
    assert "This form has expired." in text
    assert "access rules can give you" not in text


def _token(page: HttpResponse) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert found
    return found[1]


def test_sign_in_page_shows_the_account(client: Client, settings: Settings) -> None:
    settings.ACCOUNT_NAME = "umbrella"
    assert "umbrella" in text_of(client.get(SIGN_IN))
