"""The models of every official client parse every kind of audit event."""

import io
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from applications.models import Application
from applications.oauth.secrets import new_secret
from applications.oauth.tokens import issue
from runai_access.accounts.models import User
from runai_access.activity.api import ACTIONS
from tests import factories
from tests.clients.releases import VERSIONS, python_with

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-staple"
RULES = "/api/v1/authorization/access-rules"
# 1.218 has no audit log.
WITH_AUDIT_LOG = [version for version in VERSIONS if not version.startswith("1.218.")]
PARSE = (
    "import json, sys; from runai.models import AuditLog\n"
    "for record in json.load(sys.stdin): AuditLog.model_validate(record)"
)


@pytest.fixture
def root(db: None) -> Application:
    return factories.application("root", ("System administrator", factories.account()))


@pytest.fixture
def api(root: Application) -> Client:
    return _client(root)


@pytest.fixture
def ada(db: None) -> User:
    return factories.person("ada@acme.example", "System administrator", password=PASSWORD)


def _client(application: Application) -> Client:
    return Client(headers={"Authorization": f"Bearer {issue(application).text}"})


def _send(client: Client, method: str, path: str, body: Any = None) -> HttpResponse:
    request = getattr(client, method)
    answer: HttpResponse = request(path, body, content_type="application/json")
    return answer


def events(client: Client) -> list[dict[str, Any]]:
    now = timezone.now()
    span = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
    answer = client.get("/api/v1/audit/log", {**span, "numberOfSamples": 1000})
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["audit_logs"]
    return found


def change_by_api(api: Client) -> None:
    made = _send(api, "post", "/api/v1/apps", {"name": "by-api"}).json()
    _send(api, "patch", f"/api/v1/apps/{made['id']}", {"enabled": False})
    _send(api, "post", f"/api/v1/apps/{made['id']}/secret")
    _send(api, "delete", f"/api/v1/apps/{made['id']}")


def change_by_pages(ada: User) -> None:
    browser = Client()
    browser.post("/sign-in/", {"email": ada.email, "password": PASSWORD})
    browser.post("/applications/new/", {"name": "by-page", "submission": str(uuid.uuid4())})
    browser.post("/sign-out/")


def change_by_commands() -> None:
    call_command("create_application", "by-command", role="Viewer", stdout=io.StringIO())
    call_command("create_admin", "by-command@acme.example", stdout=io.StringIO())
    call_command("reset_password", "by-command@acme.example", stdout=io.StringIO())


def fail() -> None:
    stranger = _client(factories.application("stranger"))
    _send(stranger, "post", "/api/v1/apps", {"name": "refused"})
    for method in ("patch", "delete"):
        _send(stranger, method, f"/api/v1/apps/{uuid.uuid4()}")
    _send(Client(), "post", "/api/v1/token", wrong_secret("nobody"))
    Client().post("/sign-in/", {"email": "nobody@acme.example", "password": "wrong"})


def wrong_secret(name: str) -> dict[str, str]:
    return {"grantType": "app_token", "clientId": name, "clientSecret": new_secret()}


@pytest.fixture
def every_kind(api: Client, ada: User) -> list[dict[str, Any]]:
    change_by_api(api)
    change_by_pages(ada)
    change_by_commands()
    fail()
    found = events(api)
    assert {event["action"] for event in found} == set(ACTIONS)
    assert {event["result"] for event in found} == {"Succeeded", "Failed"}
    assert {_origin(event) for event in found} == {"command", "API", "page"}
    return found


def _origin(event: dict[str, Any]) -> str:
    if not event["url"]:
        return "command"
    return "API" if "/api/" in event["url"] else "page"


@pytest.mark.slow
@pytest.mark.parametrize("version", WITH_AUDIT_LOG)
def test_every_kind_of_event_can_be_parsed(every_kind: list[dict[str, Any]], version: str) -> None:
    python_with(version, "-c", PARSE, stdin=json.dumps(every_kind))


def test_an_event_has_the_status_of_its_response(api: Client, root: Application) -> None:
    scope = {"scopeId": factories.account().uid, "scopeType": "tenant"}
    subject = {"subjectId": "root", "subjectType": "app"}
    expected: list[tuple[str, str, int]] = []

    def ask(action: str, client: Client, method: str, path: str, body: Any = None) -> Any:
        answer = _send(client, method, path, body)
        expected.append((action, path, answer.status_code))
        return answer.json() if answer.content else None

    made = ask("create", api, "post", "/api/v1/service-accounts", {"name": "nightly"})
    one = f"/api/v1/service-accounts/{made['id']}"
    ask("update", api, "patch", one, {"enabled": False})
    ask("update", api, "post", f"{one}/secret")
    rule = ask("create", api, "post", RULES, {**subject, **scope, "roleId": 7})
    ask("delete", api, "delete", f"{RULES}/{rule['id']}")
    batch = {"payload": {"roleId": 7, "subjects": [subject], "scopes": [scope]}}
    [again] = ask("create", api, "post", f"{RULES}/batch-create", batch)["succeeded"]
    ask("delete", api, "post", f"{RULES}/batch", {"action": "delete", "ids": [str(again["id"])]})
    ask("delete", api, "delete", one)
    grant = {**wrong_secret("signer"), "clientSecret": (secret := new_secret())}
    factories.application("signer", secret=secret)
    ask("sign-in", api, "post", "/api/v1/token", grant)
    ask("sign-in", api, "post", "/api/v1/token", wrong_secret("signer"))
    ask(
        "create", _client(factories.application("stranger")), "post", "/api/v1/apps", {"name": "x1"}
    )
    found = [
        (event["action"], "/" + event["url"].split("/", 3)[3], event["http_status_code"])
        for event in events(api)
    ]
    assert found == expected


def test_a_command_is_an_event_without_a_request(api: Client) -> None:
    change_by_commands()
    neutral = {"source_ip": "", "url": "", "http_status_code": 200}
    found = events(api)
    assert found
    for event in found:
        assert event.items() >= neutral.items()
        assert event["http_method"] == "POST"


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("source_ip==null", ["by-command"]),
        ("source_ip!=null", ["by-api"]),
        ("http_method==post,entity_type==application", ["by-command", "by-api"]),
        ("http_method==PATCH", []),
    ],
)
def test_derived_members_can_be_filtered(api: Client, condition: str, names: list[str]) -> None:
    call_command("create_application", "by-command", stdout=io.StringIO())
    _send(api, "post", "/api/v1/apps", {"name": "by-api"})
    span = {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    answer = api.get("/api/v1/audit/log", {**span, "filterBy": condition}).json()
    assert [event["entity_name"] for event in answer["audit_logs"]] == names
