"""The official client's calls that create, delete and sign out users, and set passwords."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accessrules.models import AccessRule, Subject
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.api.conftest import As

USERS = "/api/v1/users"
JSON = "application/json"
OLD, NEW = "the old password", "correct horse battery"
pytestmark = pytest.mark.django_db


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(path, body or {}, content_type=JSON, headers=headers)


def sign_in(email: str, password: str) -> Client:
    client = Client()
    client.post("/sign-in/", {"email": email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/api/v1/authorization/permissions").status_code == 200


def test_creating_answers_a_temporary_password(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    sent = {"email": "Nina@acme.example", "resetPassword": True, "notify": False}
    made = post(client, USERS, sent)
    assert made.status_code == 201
    assert set(made.json()) == {"id", "username", "tempPassword"}
    assert made.json()["username"] == "nina@acme.example"
    nina = User.objects.get(pk=made.json()["id"])
    assert nina.must_choose_password
    browser = sign_in(nina.email, made.json()["tempPassword"])
    assert browser.get("/").url.startswith("/account/password/")
    again = post(client, USERS, sent)
    assert (again.status_code, User.objects.count()) == (409, 1)


@pytest.mark.parametrize("body", [{}, {"email": ""}, {"email": "nina"}, {"email": 7}])
def test_invalid_email_creates_nobody(
    as_: As, administrator: Application, body: dict[str, Any]
) -> None:
    answer = post(as_(administrator), USERS, body)
    assert answer.status_code == 400
    assert "email" in answer.json()["details"]
    assert not User.objects.exists()


def test_repeated_creation_with_a_key_shows_no_password(
    as_: As, administrator: Application
) -> None:
    client, key = as_(administrator), str(uuid.uuid4())
    sent = {"email": "nina@acme.example"}
    made = post(client, USERS, sent, **{"Idempotency-Key": key})
    again = post(client, USERS, sent, **{"Idempotency-Key": key})
    assert (made.status_code, again.status_code) == (201, 409)
    assert again.json()["id"] == made.json()["id"]
    assert made.json()["tempPassword"] not in again.content.decode()


def test_deleting_ends_everything_and_frees_the_email(as_: As, administrator: Application) -> None:
    bo = factories.person("bo@acme.example", "Viewer", password=OLD)
    group = factories.group("engineers", bo)
    browser, client = sign_in(bo.email, OLD), as_(administrator)
    assert is_in(browser)
    assert client.delete(f"{USERS}/{bo.pk}").status_code == 204
    assert not is_in(browser)
    assert sign_in(bo.email, OLD).get("/account/").status_code == 302
    assert client.get(f"{USERS}/{bo.pk}").status_code == 404
    assert client.delete(f"{USERS}/{bo.pk}").status_code == 404
    assert not group.memberships.exists()
    assert not AccessRule.objects.living().filter(subject=bo.subject).exists()
    made = post(client, USERS, {"email": "Bo@acme.example"})
    assert made.status_code == 201
    assert made.json()["id"] != str(bo.pk)
    assert sign_in("BO@acme.example", made.json()["tempPassword"]).get("/").status_code == 302
    actions = AuditEvent.objects.filter(entity_name=bo.email).values_list("action", flat=True)
    assert {"delete", "create"} <= set(actions)


def test_last_administrator_cannot_be_deleted(as_: As, administrator: Application) -> None:
    ada = factories.person("ada@acme.example", "System administrator")
    answer = as_(administrator).delete(f"{USERS}/{ada.pk}")
    assert answer.status_code == 409
    assert User.objects.get().enabled
    factories.person("eve@acme.example", "System administrator")
    assert as_(administrator).delete(f"{USERS}/{ada.pk}").status_code == 204


def test_deleting_requires_every_permission_of_the_user(as_: As) -> None:
    bo = factories.person("bo@acme.example", "System administrator")
    role = factories.custom_role("User manager", users="crud")
    manager = factories.application("manager")
    factories.rule(manager, role.name, factories.account())
    client = as_(manager)
    for answer in (client.delete(f"{USERS}/{bo.pk}"), post(client, f"{USERS}/{bo.pk}/password")):
        assert answer.status_code == 403
        assert "bo@acme.example has" in answer.json()["details"]
    assert Subject.objects.living().filter(pk=bo.pk).exists()


def test_reset_answers_a_temporary_password_and_ends_sessions(
    as_: As, administrator: Application
) -> None:
    bo = factories.person("bo@acme.example", password=OLD)
    browser = sign_in(bo.email, OLD)
    answer = post(as_(administrator), f"{USERS}/{bo.pk}/password")
    assert answer.status_code == 200
    assert not is_in(browser)
    stored = User.objects.get()
    assert stored.check_password(answer.json()["tempPassword"])
    assert stored.must_choose_password


def test_logout_ends_sessions_and_keeps_the_password(as_: As, administrator: Application) -> None:
    bo = factories.person("bo@acme.example", password=OLD)
    browser = sign_in(bo.email, OLD)
    assert post(as_(administrator), f"{USERS}/{bo.pk}/logout").status_code == 204
    assert not is_in(browser)
    assert is_in(sign_in(bo.email, OLD))
    assert AuditEvent.objects.filter(action="sign-out", entity_name=bo.email).count() == 1


def change(client: Client, current: str = OLD, new: str = NEW) -> Any:
    return post(client, "/api/v1/me/password", {"currentPassword": current, "newPassword": new})


def test_own_password_keeps_this_session_and_ends_others(db: None) -> None:
    bo = factories.person("bo@acme.example", password=OLD)
    here, other = sign_in(bo.email, OLD), sign_in(bo.email, OLD)
    assert change(here).status_code == 204
    assert (is_in(here), is_in(other)) == (True, False)
    assert User.objects.get().check_password(NEW)


def test_own_password_can_be_changed_with_a_token(db: None, settings: Any) -> None:
    settings.PASSWORD_GRANT = True
    bo = factories.person("bo@acme.example", password=OLD)
    sent = {"grantType": "password", "username": bo.email, "password": OLD, "clientId": "runai"}
    token = post(Client(), "/api/v1/token", sent).json()["accessToken"]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    assert change(client).status_code == 204
    assert not client.cookies
    assert not is_in(client), "the token ended with the sessions"


@pytest.mark.parametrize(
    ("current", "new", "named"), [("a wrong one", NEW, "current"), (OLD, "short", "new")]
)
def test_refused_own_password_names_the_member(
    db: None, current: str, new: str, named: str
) -> None:
    bo = factories.person("bo@acme.example", password=OLD)
    answer = change(sign_in(bo.email, OLD), current, new)
    assert answer.status_code == 400
    assert f"{named}Password: " in answer.json()["details"]
    assert {current, new} & set(answer.content.decode().split()) == set()
    assert User.objects.get().check_password(OLD)


def test_wrong_own_passwords_are_limited(db: None) -> None:
    bo = factories.person("bo@acme.example", password=OLD)
    client = sign_in(bo.email, OLD)
    statuses = [change(client, "a wrong one").status_code for _ in range(6)]
    assert statuses == [400] * 5 + [429]


def test_application_has_no_password(as_: As, administrator: Application) -> None:
    assert change(as_(administrator)).status_code == 404
