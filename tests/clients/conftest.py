"""The audit events of every kind of change, and the administrator application that reads them."""

import io
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

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def root(db: None) -> Application:
    return factories.application("root", ("System administrator", factories.account()))


@pytest.fixture
def api(root: Application) -> Client:
    return client_of(root)


@pytest.fixture
def ada(db: None) -> User:
    return factories.person("ada@acme.example", "System administrator", password=PASSWORD)


def client_of(application: Application) -> Client:
    return Client(headers={"Authorization": f"Bearer {issue(application).text}"})


def send(client: Client, method: str, path: str, body: Any = None) -> HttpResponse:
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
    made = send(api, "post", "/api/v1/apps", {"name": "by-api"}).json()
    send(api, "patch", f"/api/v1/apps/{made['id']}", {"enabled": False})
    send(api, "post", f"/api/v1/apps/{made['id']}/secret")
    send(api, "delete", f"/api/v1/apps/{made['id']}")


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
    stranger = client_of(factories.application("stranger"))
    send(stranger, "post", "/api/v1/apps", {"name": "refused"})
    for method in ("patch", "delete"):
        send(stranger, method, f"/api/v1/apps/{uuid.uuid4()}")
    send(Client(), "post", "/api/v1/token", wrong_secret("nobody"))
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
