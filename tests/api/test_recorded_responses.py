"""Every endpoint of the API responds byte for byte as recorded.

    RECORD_RESPONSES=1 python -m pytest tests/api/test_recorded_responses.py

updates `recorded_responses.txt` after an intended change. The recording has placeholders for IDs,
times, secrets and tokens, which vary. It has no error texts, names of resource types or descriptions,
which can change.
"""

import hashlib
import json
import os
import re
import secrets
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.http.response import HttpResponse
from django.test import Client
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM
from accessrules.models import AccessRule
from applications.actions.creation import create_application
from applications.models import Application
from applications.oauth.tokens import issue
from tests import factories

RECORDING = Path(__file__).with_name("recorded_responses.txt")
FORM = "application/x-www-form-urlencoded"
LONGEST_BODY = 30_000
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RULE_ID = re.compile(r'"id":(\d+)(?=,"subjectId")|"(\d+)"')
_PLACEHOLDERS = (
    (re.compile(r"ras_\w+"), "<secret>"),
    (re.compile(r"eyJ[\w.-]+"), "<token>"),
    (re.compile(r'"(x|y|kid|jti)":"[^"]*"'), r'"\1":"<\1>"'),
    (re.compile(r'"(iat|exp)":\d+'), r'"\1":<\1>'),
    (re.compile(r'"(message|description|displayName)":"[^"]+"'), r'"\1":"<\1>"'),
    (_TIME, "<time>"),
)


class Recorder:
    """Sends requests and records the responses."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def __call__(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        form = isinstance(body, str)
        response: HttpResponse = self.client.generic(  # type: ignore[assignment]  # the test client's
            method,
            url,
            body if form else "" if body is None else json.dumps(body),
            content_type=FORM if form else "application/json",
            headers=headers,
        )
        text = response.content.decode()
        self.lines.append(f"{method} {self._plain(url)} {response.status_code}")
        if text and response.status_code < 400:
            self.lines.append(self._plain(text))
            return response.json()
        return None

    def _plain(self, text: str) -> str:
        for pattern, placeholder in _PLACEHOLDERS:
            text = pattern.sub(placeholder, text)
        text = _UUID.sub(lambda match: self._named("uuid", match[0]), text)
        text = _RULE_ID.sub(self._plain_rule_id, text)
        text = re.sub(r"(?<=access-rules/)\d+", lambda match: self._named("rule", match[0]), text)
        if len(text) > LONGEST_BODY:
            return f"{len(text)} characters, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"
        return text

    def _plain_rule_id(self, match: re.Match[str]) -> str:
        number = match[1] or match[2]
        if not AccessRule.objects.filter(pk=int(number)).exists():
            return match[0]
        return match[0].replace(number, self._named("rule", number))

    def _named(self, kind: str, value: str) -> str:
        return self._names.setdefault(value, f"<{kind} {len(self._names) + 1}>")


@pytest.fixture
def _paths_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give scopes increasing paths, because lists are sorted by path."""
    numbers = count(2)
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(numbers))


@pytest.fixture
def recorder(db: None, _paths_in_order: None) -> Recorder:
    cluster = factories.cluster("gpu-east")
    vision, speech = (factories.department(name, cluster) for name in ("vision", "speech"))
    training = factories.project("training", vision)
    factories.project("dictation", speech)
    root = factories.application("root", ("System administrator", factories.account()))
    pipeline = factories.application("pipeline", ("L1 researcher", cluster), secret="")
    Application.objects.filter(pk=pipeline.pk).update(
        last_login=datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC), token_lifetime=600
    )
    person = factories.person("mia@acme.example", "Viewer", training)
    person.last_login = timezone.now()
    person.save()
    group = factories.group("vision-team", person, pipeline)
    factories.group("nobodies")
    factories.rule(group, "Department administrator", vision)
    deleted = factories.rule(pipeline, "Viewer", training)
    AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    factories.rule(person, "System administrator", factories.system())
    return Recorder(Client(headers={"Authorization": f"Bearer {issue(root).text}"}))


def test_every_endpoint_responds_as_recorded(recorder: Recorder) -> None:
    parts = (_applications, _rules, _roles_and_scopes, _own, _users, _tokens, _overview, _audit_log)
    for ask in parts:
        ask(recorder)
    found = "\n".join(recorder.lines) + "\n"
    if os.environ.get("RECORD_RESPONSES"):
        RECORDING.write_text(found, encoding="utf-8")
    assert found.splitlines() == RECORDING.read_text(encoding="utf-8").splitlines()


def _applications(ask: Recorder) -> None:
    command = create_application(caller=SYSTEM, name="by-command").application
    for base in ("/api/v1/apps", "/api/v1/service-accounts"):
        ask("GET", base)
        ask("GET", f"{base}?limit=1&sortBy=name&sortOrder=desc")
        ask("GET", f"{base}/{Application.objects.get(subject__name='pipeline').pk}")
        made = ask("POST", base, {"name": f"made-{len(base)}"}, **{"Idempotency-Key": base})
        ask("POST", base, {"name": f"made-{len(base)}"}, **{"Idempotency-Key": base})
        ask("POST", base, {"name": f"made-{len(base)}"})
        one = f"{base}/{made['id']}"
        ask("PATCH", one, {"enabled": False, "tokenLifetime": 900})
        ask("PATCH", one, {"tokenLifetime": None})
        ask("PATCH", one, {})
        ask("POST", f"{one}/secret")
        ask("DELETE", one)
        ask("GET", one)
    ask("DELETE", f"/api/v1/apps/{command.pk}")


def _rules(ask: Recorder) -> None:
    base = "/api/v1/authorization/access-rules"
    ask("GET", base)
    ask("GET", f"{base}?includeDeleted=true&limit=2&offset=1")
    ask("GET", f"{base}?filterBy=scopeType==system")
    ask("GET", f"{base}?roleId=none")
    ask("GET", f"{base}/count")
    clusters = ask("GET", "/api/v1/clusters")
    wanted = {
        "subjectId": "pipeline",
        "subjectType": "service-account",
        "roleId": factories.role("L2 researcher").pk,
        "scopeId": clusters[0]["uuid"],
        "scopeType": "cluster",
    }
    rule = ask("POST", base, wanted, **{"Idempotency-Key": "rule"})
    ask("POST", base, wanted, **{"Idempotency-Key": "rule"})
    ask("POST", base, wanted)
    ask("GET", f"{base}/{rule['id']}")
    payload = {
        "subjects": [
            {"subjectId": "mia@acme.example", "subjectType": "user"},
            {"subjectId": "missing", "subjectType": "app"},
        ],
        "scopes": [{"scopeId": wanted["scopeId"], "scopeType": "cluster"}],
        "roleId": wanted["roleId"],
    }
    ask("POST", f"{base}/batch-create", {"payload": payload})
    ids = [str(rule["id"]), "987654321"]
    ask("POST", f"{base}/batch", {"ids": ids, "action": "validate_delete"})
    ask("POST", f"{base}/batch", {"ids": ids, "action": "delete"})
    ask("DELETE", f"{base}/{rule['id']}")
    subject = Application.objects.get(subject__name="pipeline").pk
    ask("GET", f"/api/v1/authorization/effective-access/{subject}")
    access = f"/api/v1/authorization/scope-access/cluster/{wanted['scopeId']}"
    ask("GET", f"{access}?resourceType=workspaces")
    ask("GET", f"{access}?resourceType=workspaces&limit=1")


def _roles_and_scopes(ask: Recorder) -> None:
    ask("GET", "/api/v1/authorization/roles")
    ask("GET", f"/api/v1/authorization/roles/{factories.role('L1 researcher').pk}")
    for base in ("clusters", "org-unit/departments", "org-unit/projects"):
        listed = ask("GET", f"/api/v1/{base}")
        ask("GET", f"/api/v1/{base}?limit=1")
        ask("GET", f"/api/v1/{base}/count")
        scopes = listed if isinstance(listed, list) else next(iter(listed.values()))
        ask("GET", f"/api/v1/{base}/{scopes[0].get('uuid') or scopes[0]['id']}")
        ask("GET", f"/api/v1/{base}/missing")
    ask("GET", "/api/v1/clusters?verbosity=metadata")


def _own(ask: Recorder) -> None:
    base = "/api/v1/authorization"
    for holder in ("root", "pipeline"):
        application = Application.objects.get(subject__name=holder)
        ask.client = Client(headers={"Authorization": f"Bearer {issue(application).text}"})
        ask("GET", f"{base}/permissions")
        ask("GET", f"{base}/permissions?search=work&limit=2")
        ask("POST", f"{base}/permitted-scopes", {"resourceType": "service-account"})
        ask("POST", f"{base}/permitted-scopes", {"resourceType": "project", "action": "read"})
        ask("GET", f"{base}/me/access-rules")
        ask("GET", f"{base}/me/access-rules/count")
    root = Application.objects.get(subject__name="root")
    ask.client = Client(headers={"Authorization": f"Bearer {issue(root).text}"})


def _users(ask: Recorder) -> None:
    users = ask("GET", "/api/v1/users")
    ask("GET", "/api/v1/users/count")
    ask("GET", f"/api/v1/users/{users[0]['id']}")
    ask("GET", "/api/v1/users?filter=runai.is_local:false")


def _tokens(ask: Recorder) -> None:
    signed_in = ask.client
    made = ask("POST", "/api/v1/apps", {"name": "tokens"})
    client = {"clientID": "tokens", "clientSecret": made["secret"]}
    ask.client = Client()
    form = f"client_id=tokens&client_secret={made['secret']}"
    ask("POST", "/api/v1/token", {"grantType": "client_credentials", **client})
    ask("POST", "/api/v1/token", {"grantType": "client_credentials", "clientID": "tokens"})
    token = ask("POST", "/api/v2/token", f"grant_type=client_credentials&{form}")["access_token"]
    ask("POST", "/api/v2/token", f"grant_type=client_credentials&scope=other&{form}")
    ask("POST", "/api/v2/token", f"grant_type=unknown&{form}")
    ask(
        "POST",
        "/v1/k8s/auth/oauth/apptoken",
        {"id": made["id"], "name": "tokens", "secret": made["secret"]},
    )
    ask("POST", "/oauth2/introspect", f"token={token}&{form}")
    ask("POST", "/oauth2/introspect", f"token=no&{form}")
    ask("POST", "/oauth2/revoke", f"token={token}&{form}")
    ask("POST", "/oauth2/introspect", f"token={token}&{form}")
    ask("GET", "/.well-known/oauth-authorization-server")
    ask("GET", "/.well-known/openid-configuration")
    # PostgreSQL doesn't preserve the order of JSON members.
    keys = ask("GET", "/.well-known/jwks.json")
    del ask.lines[-1]
    ask.lines.append(str([sorted(key) for key in keys["keys"]]))
    ask.client = signed_in


def _overview(ask: Recorder) -> None:
    ask("GET", "/api/v1/overview")
    # It has the numbers of the last 90 days and of running processes.
    document = json.loads(ask.lines.pop())
    ask.lines.append(str({name: sorted(items[0]) for name, items in document.items()}))


def _audit_log(ask: Recorder) -> None:
    between = "start=2020-01-01T00:00:00Z&end=2100-01-01T00:00:00Z"
    ask("GET", f"/api/v1/audit/log?{between}&limit=1000")
    ask("GET", f"/api/v1/audit/log?{between}&numberOfSamples=1")
    ask("GET", "/api/v1/audit/log?start=2020-01-01T00:00:00Z")
