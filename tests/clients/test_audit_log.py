"""Audit events in the API: statuses, commands, and filters."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from applications.models import Application
from applications.oauth.secrets import new_secret
from tests import factories
from tests.clients.conftest import change_by_commands, client_of, events, send, wrong_secret

pytestmark = pytest.mark.django_db
RULES = "/api/v1/authorization/access-rules"


def test_an_event_has_the_status_of_its_response(api: Client, root: Application) -> None:
    scope = {"scopeId": factories.account().uid, "scopeType": "tenant"}
    subject = {"subjectId": "root", "subjectType": "app"}
    expected: list[tuple[str, str, int]] = []

    def ask(action: str, client: Client, method: str, path: str, body: Any = None) -> Any:
        answer = send(client, method, path, body)
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
        "create",
        client_of(factories.application("stranger")),
        "post",
        "/api/v1/apps",
        {"name": "x1"},
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
    send(api, "post", "/api/v1/apps", {"name": "by-api"})
    span = {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    answer = api.get("/api/v1/audit/log", {**span, "filterBy": condition}).json()
    assert [event["entity_name"] for event in answer["audit_logs"]] == names
