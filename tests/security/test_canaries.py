"""Secrets and tokens occur only in the response that creates them, whatever pages and endpoints do.

Vault CVE-2024-8365 (secrets in the audit log), Vault CVE-2021-38554 (the UI kept secrets for the next
user).
"""

import base64
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from applications.models import Application
from applications.oauth.secrets import new_secret
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password
from runai_access.logs import LineFormatter
from tests import factories
from tests.web.conftest import password_in, secret_in, submission_in

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PASSWORD = "canary-horse-battery-staple"


@dataclass
class Canaries:
    """Secrets that must not occur anywhere, and all responses since."""

    texts: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def expect_only_in(self, answer: Any, text: str) -> str:
        """Register a secret that only `answer` is allowed to show."""
        self.texts += [text, text.rpartition(".")[2]]  # also a token's signature alone
        self.texts.append(base64.b64encode(text.encode()).decode().rstrip("="))
        assert answer.headers["Cache-Control"] == "no-store"
        self.answers.remove(answer)
        return text

    def occurs_in(self, text: str) -> bool:
        return any(canary in text for canary in self.texts if len(canary) > 20)


class Watched(Client):
    """A client that keeps every response, including server errors."""

    def __init__(self, canaries: Canaries, **options: Any) -> None:
        super().__init__(raise_request_exception=False, **options)
        self._canaries = canaries

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        self._canaries.answers.append(answer)
        return answer


@pytest.fixture
def canaries(caplog: pytest.LogCaptureFixture) -> Iterator[Canaries]:
    """Watch all responses and logs; after the test no canary must occur in them."""
    caplog.set_level(logging.DEBUG)
    found = Canaries()
    yield found
    assert found.texts, "the test created no secret"
    for answer in found.answers:
        text = (
            answer.getvalue().decode(errors="replace") + str(answer.headers) + str(answer.cookies)
        )
        assert not found.occurs_in(text), answer.request["PATH_INFO"]
    assert not found.occurs_in(_log(caplog)), "a line of the log"
    for model in apps.get_models():
        for row in model._default_manager.values():
            assert not found.occurs_in(str(row)), model.__name__
    for session in Session.objects.all():
        assert not found.occurs_in(str(session.get_decoded())), "a session"


def _log(caplog: pytest.LogCaptureFixture) -> str:
    # Queries are logged only for debugging, never in production.
    lines = [record for record in caplog.records if not record.name.startswith("django.db")]
    formatter = LineFormatter()  # the formatter of the production log
    return "\n".join(formatter.format(record) for record in lines)


@pytest.fixture
def ada(db: None) -> User:
    return factories.person("ada@acme.example", "System administrator", password=PASSWORD)


def grants(client: Client, name: str, secret: str) -> dict[str, Any]:
    """Send requests to every token endpoint, in every form."""
    basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
    v1 = {"grantType": "app_token", "appId": name, "appSecret": secret}
    form = f"grant_type=client_credentials&client_id={name}&client_secret={secret}"
    old = {"id": name, "name": name, "secret": secret}
    return {
        "v1": client.post("/api/v1/token", v1, JSON),
        "v2": client.post("/api/v2/token", form, FORM),
        "basic": client.post(
            "/api/v2/token",
            "grant_type=client_credentials",
            FORM,
            headers={"Authorization": f"Basic {basic}"},
        ),
        "deprecated": client.post("/v1/k8s/auth/oauth/apptoken", old, JSON),
    }


def spoiled(client: Client, name: str, secret: str, token: str) -> None:
    """Send the canaries in every wrong place where users put them."""
    bearer = {"Authorization": f"Bearer {token}"}
    grants(client, secret, name)
    grants(client, name, secret[:-1] + ("a" if secret[-1] != "a" else "b"))
    grants(client, token, secret)
    for body in (f'{{"appSecret": "{secret}"', f"{secret}", f'["{secret}"]'):
        client.post("/api/v1/token", body, JSON)
        client.post("/api/v2/token", body, FORM)
    query = f"?client_id={name}&client_secret={secret}&access_token={token}"
    client.post(f"/api/v2/token{query}", "grant_type=client_credentials", FORM)
    client.get(f"/api/v1/apps{query}")
    client.get("/api/v1/apps", headers={"Authorization": f"Bearer {token}x"})
    client.get("/api/v1/apps", headers={"Authorization": f"Basic {token}"})
    client.post("/api/v1/apps", {"name": name, "clientSecret": secret}, JSON, headers=bearer)
    client.get("/nothing/at/all", headers=bearer)
    for text in (secret, secret[:-1], f"{secret} {secret}"):
        client.get("/api/v1/apps", headers={"Authorization": f"Bearer {text}"})
        client.get(f"/scim/v2/Users{query}", headers={"Authorization": f"Bearer {text[1:]}"})
        client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {text}x"})


@pytest.mark.django_db
def test_no_api_flow_shows_a_secret_or_token_again(canaries: Canaries) -> None:
    factories.application("root", ("System administrator", factories.account()))
    person = factories.person("eve@acme.example", "System administrator")
    admin = Watched(canaries)
    admin.force_login(person)
    client = Watched(canaries)

    made = admin.post("/api/v1/apps", {"name": "canary"}, JSON)
    secret = canaries.expect_only_in(made, made.json()["secret"])
    address = f"/api/v1/apps/{made.json()['id']}"
    rule = {"subjectId": "canary", "subjectType": "app", "roleId": 1, "scopeId": "1001"}
    admin.post("/api/v1/authorization/access-rules", {**rule, "scopeType": "tenant"}, JSON)

    tokens = []
    for name, granted in grants(client, "canary", secret).items():
        assert granted.status_code == 200, name
        body = granted.json()
        tokens.append(
            canaries.expect_only_in(
                granted, body["accessToken" if name == "v1" else "access_token"]
            )
        )
        if "id_token" in body:
            canaries.texts.append(body["id_token"])
    bearer = {"Authorization": f"Bearer {tokens[0]}"}
    for path in ("apps", "service-accounts", "users", "authorization/me/access-rules"):
        assert client.get(f"/api/v1/{path}", headers=bearer).status_code == 200
    scim = {"Authorization": f"Bearer {secret}"}
    canaries.texts.append(PASSWORD)
    user = {"userName": "rosa@acme.example", "password": PASSWORD, "externalId": "1"}
    assert client.post("/scim/v2/Users", user, JSON, headers=scim).status_code == 201
    assert client.get("/scim/v2/Users", headers=scim).status_code == 200
    about = f"token={tokens[1]}&client_id=canary&client_secret={secret}"
    client.post("/oauth2/introspect", about, FORM)
    client.post("/oauth2/revoke", about, FORM)
    spoiled(client, "canary", secret, tokens[0])

    key = {"Idempotency-Key": "once"}
    again = admin.post(f"{address}/secret", {}, JSON, headers=key)
    renewed = canaries.expect_only_in(again, again.json()["secret"])
    assert admin.post(f"{address}/secret", {}, JSON, headers=key).status_code == 409
    assert client.get("/api/v1/apps", headers=bearer).status_code == 401
    admin.patch(address, {"enabled": False}, JSON)
    grants(client, "canary", renewed)
    admin.post(f"{address}/contain", {}, JSON)
    replaced = admin.post(f"{address}/replace-secret-and-enable", {}, JSON)
    canaries.expect_only_in(replaced, replaced.json()["secret"])
    assert admin.get(f"{address}/report").status_code == 200
    admin.delete(address)
    grants(client, "canary", renewed)
    audit = "/api/v1/audit/log?start=2020-01-01T00:00:00Z&end=2099-01-01T00:00:00Z"
    assert admin.get(audit).json()["total"] > 0
    for path in ("apps", "authorization/access-rules?includeDeleted=true", "users"):
        admin.get(f"/api/v1/{path}")


@pytest.mark.django_db
def test_no_page_shows_a_secret_again(canaries: Canaries, ada: User) -> None:
    browser = Watched(canaries)
    canaries.texts.append(PASSWORD)
    sign_in = reverse("accounts:sign-in")
    browser.post(sign_in, {"email": PASSWORD, "password": ada.email})
    canaries.answers.clear()  # the form shows the email that the user typed
    browser.post(sign_in, {"email": ada.email, "password": f"{PASSWORD}x"})
    assert browser.post(sign_in, {"email": ada.email, "password": PASSWORD}).status_code == 302

    form = {
        "name": "canary",
        "submission": submission_in(browser.get(reverse("applications:create"))),
    }
    made = browser.post(reverse("applications:create"), form)
    canaries.expect_only_in(made, secret_in(made))
    browser.post(reverse("applications:create"), form)
    canary = Application.objects.get()
    regenerate = reverse("applications:regenerate", args=[canary.pk])
    number = {"submission": submission_in(browser.get(regenerate))}
    renewed = browser.post(regenerate, number)
    secret = canaries.expect_only_in(renewed, secret_in(renewed))
    browser.post(regenerate, number)
    browser.get(f"/applications/{secret}/")
    browser.get("/applications/", {"selected": secret, "sort": secret, "page": secret})
    del canaries.answers[-2:]  # a page can contain its own URL

    second = Watched(canaries)
    second.force_login(factories.person("eve@acme.example", "System administrator"))
    for someone in (browser, second):
        for name in ("list", "create"):
            assert someone.get(reverse(f"applications:{name}")).status_code == 200
        for name in ("regenerate", "access-rules", "disable", "delete"):
            page = reverse(f"applications:{name}", args=[canary.pk])
            assert someone.get(page, headers={"HX-Request": "true"}).status_code == 200
            assert someone.get(page).status_code == 200
    browser.post(reverse("accounts:sign-out"))
    browser.get(reverse("applications:list"))


@pytest.mark.django_db
def test_no_api_flow_shows_a_password_again(canaries: Canaries, ada: User) -> None:
    admin = Watched(canaries)
    admin.force_login(ada)
    chosen = f"{PASSWORD}-chosen"
    canaries.texts += [PASSWORD, chosen]
    form, key = {"email": "nina@acme.example"}, {"Idempotency-Key": "once"}
    made = admin.post("/api/v1/users", form, JSON, headers=key)
    canaries.expect_only_in(made, made.json()["tempPassword"])
    assert admin.post("/api/v1/users", form, JSON, headers=key).status_code == 409
    nina = f"/api/v1/users/{made.json()['id']}"
    reset = admin.post(f"{nina}/password", {}, JSON)
    canaries.expect_only_in(reset, reset.json()["tempPassword"])
    own, confirm = "/api/v1/me/password", reverse("accounts:confirm")
    assert (
        admin.post(own, {"currentPassword": chosen, "newPassword": PASSWORD}, JSON).status_code
        == 400
    )
    assert (
        admin.post(own, {"currentPassword": PASSWORD, "newPassword": chosen}, JSON).status_code
        == 204
    )
    assert admin.post(confirm, {"password": PASSWORD}).status_code == 422
    assert admin.post(confirm, {"password": chosen}).status_code == 302
    admin.delete(nina)
    for path in ("/api/v1/users", "/account/", "/activity/"):
        admin.get(path)


@pytest.mark.django_db
def test_no_page_shows_a_password_again(canaries: Canaries, ada: User) -> None:
    browser, theirs = Watched(canaries), Watched(canaries)
    browser.force_login(ada)
    create = reverse("users:create")
    form = {"email": "nina@acme.example", "submission": submission_in(browser.get(create))}
    made = browser.post(create, form)
    temporary = canaries.expect_only_in(made, password_in(made))
    browser.post(create, form)
    nina = User.objects.get(email="nina@acme.example")
    sign_in, change = reverse("accounts:sign-in"), reverse("accounts:password")
    theirs.post(sign_in, {"email": nina.email, "password": temporary})
    own = {"current": temporary, "new": PASSWORD, "again": PASSWORD}
    canaries.texts.append(PASSWORD)
    theirs.post(change, {**own, "again": f"{PASSWORD}x"})
    theirs.post(change, {**own, "new": temporary, "again": temporary})
    assert theirs.post(change, own).status_code == 302
    theirs.post(change, {"current": f"{PASSWORD}x", "new": temporary, "again": temporary})
    browser.post(create, {"email": temporary, "submission": str(uuid.uuid4())})
    canaries.answers.pop()  # the form shows the email that the user typed
    browser.get("/users/", {"search": temporary, "user__is": temporary})
    canaries.answers.pop()  # a list shows its search term

    reset = reverse("users:reset-password", args=[nina.pk])
    number = {"submission": submission_in(browser.get(reset))}
    again = browser.post(reset, number)
    canaries.expect_only_in(again, password_in(again))
    browser.post(reset, number)

    second = Watched(canaries)
    second.force_login(factories.person("eve@acme.example", "System administrator"))
    for someone in (browser, second):
        for address in ("/users/", "/users/users.csv", create, "/groups/", "/account/", change):
            assert someone.get(address).status_code == 200
        for name in ("detail", "groups", "reset-password", "disable", "enable"):
            page = reverse(f"users:{name}", args=[nina.pk])
            assert someone.get(page).status_code == 200
        for path in ("users", f"users/{nina.pk}", "me"):
            someone.get(f"/api/v1/{path}")


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["record", "_save", "_insert"])
def test_an_unused_password_is_shown_nowhere(
    canaries: Canaries, ada: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made: list[str] = []

    def noting() -> str:
        made.append(new_password())
        return made[-1]

    bo = factories.person("bo@acme.example")
    browser = Watched(canaries)
    browser.force_login(ada)
    monkeypatch.setattr("runai_access.accounts.actions.new_password", noting)
    monkeypatch.setattr(f"runai_access.accounts.actions.{step}", _break)
    number = {"submission": str(uuid.uuid4())}
    browser.post(reverse("users:create"), {"email": "nina@acme.example", **number})
    browser.post(reverse("users:reset-password", args=[bo.pk]), number)
    assert 500 in {answer.status_code for answer in canaries.answers}
    assert len(made) == 2
    # A created password is shown only in its own response.
    canaries.answers = [answer for answer in canaries.answers if answer.status_code == 500]
    canaries.texts += made


@pytest.mark.django_db
@pytest.mark.parametrize(
    "broken",
    [
        "applications.oauth.tokens.KEYRING.current",
        "applications.oauth.client_authentication.authenticate",
    ],
)
def test_an_unexpected_error_reveals_no_secret(
    canaries: Canaries, ada: User, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    browser = Watched(canaries)
    browser.force_login(ada)
    made = browser.post("/api/v1/apps", {"name": "canary"}, JSON)
    secret = canaries.expect_only_in(made, made.json()["secret"])
    token = grants(browser, "canary", secret)["v1"].json()["accessToken"]
    canaries.answers.clear()  # the new tokens
    canaries.texts.append(token)

    monkeypatch.setattr(broken, _break)
    for answer in grants(browser, "canary", secret).values():
        assert answer.status_code == 500
    monkeypatch.setattr("applications.policy.visible", _break)
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.get("/api/v1/apps", headers=bearer).status_code == 500
    assert browser.get("/applications/").status_code == 500
    monkeypatch.setattr("applications.policy.visible_one", _break)
    for pasted in (secret, token):
        assert browser.get(f"/api/v1/apps/{pasted}", headers=bearer).status_code == 500


def _break(*_: object, **__: object) -> None:
    raise RuntimeError("a forced error")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "step", ["applications.actions.secrets.record", "applications.actions.secrets.save"]
)
def test_an_unused_secret_is_shown_nowhere(
    canaries: Canaries, ada: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    secrets: list[str] = []
    monkeypatch.setattr("applications.actions.new_secrets.new_secret", _noting(secrets))
    robot = factories.application("robot")
    browser = Watched(canaries)
    browser.force_login(ada)
    monkeypatch.setattr(step, _break)
    assert browser.post(f"/api/v1/apps/{robot.pk}/secret").status_code == 500
    regenerate = reverse("applications:regenerate", args=[robot.pk])
    number = {"submission": submission_in(browser.get(regenerate))}
    assert browser.post(regenerate, number).status_code == 500
    assert len(secrets) == 2
    canaries.texts += secrets


def _noting(secrets: list[str]) -> Callable[[], str]:
    def make() -> str:
        secrets.append(new_secret())
        return secrets[-1]

    return make


@pytest.mark.django_db
def test_a_text_in_which_secrets_are_searched_is_in_no_response_log_or_row(
    canaries: Canaries, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, other, old = new_secret(), new_secret(), factories.old_secret()
    factories.application("robot", secret=live)
    secrets = [live, live[:-2] + "00", other, old]
    # Also the random parts alone, and the text around them.
    canaries.texts += [*secrets, *(one[-49:] for one in secrets), "a sentence from a chat with the"]
    text = f"a sentence from a chat with the {' '.join(secrets)}"
    browser = Watched(canaries)
    browser.force_login(ada)
    page, api = reverse("applications:find-secret"), "/api/v1/find-secrets"

    def search(text: str) -> list[int]:
        answers = [browser.post(page, {"text": text}), browser.post(api, {"text": text}, JSON)]
        return [answer.status_code for answer in answers]

    assert search(text) == [200, 200]
    assert search(text * 1000) == [422, 400]
    assert search(f"{text}\x00") == [422, 400]
    for body in (text, f'{{"text": "{text}', f'["{text}"]', f'{{"text": ["{text}"]}}'):
        assert browser.post(api, body, JSON).status_code == 400
    monkeypatch.setattr("applications.secret_search.SEARCHES", 1)
    assert search(text) == [429, 429]
    monkeypatch.setattr("applications.secret_search.SEARCHES", 99)
    monkeypatch.setattr("applications.secret_search.matches", _break)
    assert search(text) == [500, 500]
    browser.logout()
    assert search(text) == [302, 401]
    vera = factories.person("vera@acme.example")
    browser.force_login(vera)
    assert search(text) == [403, 403]
