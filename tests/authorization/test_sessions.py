"""The API with a session of the console, and its CSRF protection."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accessrules.models import AccessRule
from applications.models import Application
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.authorization.test_routes import (
    ENTRIES,
    GUARDED,
    TABLE,
    World,
    expected,
    is_for_programs,
    send,
    shared_world,
    world,
)

pytestmark = pytest.mark.any_database

__all__ = ["shared_world", "world"]
# SCIM accepts no session.
ROUTES = [
    (route, method)
    for route, method in GUARDED
    if is_for_programs(route) and not route.startswith("scim/")
]
UNSAFE = [(route, method) for route, method in ROUTES if method != "GET"]
PAGES = [
    (route, method) for route, method in ENTRIES if method != "GET" and not is_for_programs(route)
]
SIGN_IN_FORMS = {"sign-in/", "sign-in/second-factor/", "sign-in/provider/", "sign-in/passkey/"}
TOKEN = "x" * 32


def signed_in(user: User) -> Client:
    """Return a signed-in client that sends no CSRF token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def with_token(client: Client) -> Client:
    """Send the CSRF token of the cookie, as the scripts of the pages do."""
    client.cookies[settings.CSRF_COOKIE_NAME] = TOKEN
    client.defaults["HTTP_X_CSRFTOKEN"] = TOKEN
    return client


def counts() -> tuple[int, ...]:
    changes = AuditEvent.objects.filter(result="Succeeded").exclude(action="sign-in")
    managers = (Application.objects, AccessRule.objects.living(), User.objects, changes)
    return tuple(manager.count() for manager in managers)


@pytest.mark.parametrize(("route", "method"), UNSAFE)
def test_unsafe_api_routes_require_the_csrf_token(world: World, route: str, method: str) -> None:
    factories.rule(world.person, "System administrator", world.places["account"])
    before = counts()
    answer: Any = send(signed_in(world.person), world, route, method)
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["details"]
    assert counts() == before


@pytest.mark.parametrize(("route", "method"), PAGES)
def test_forms_require_the_csrf_token(world: World, route: str, method: str) -> None:
    factories.rule(world.person, "System administrator", world.places["account"])
    before = counts()
    client = signed_in(world.person)
    session = client.session.session_key
    answer: Any = send(client, world, route, method)
    if route in SIGN_IN_FORMS:  # already signed in: redirects
        assert (answer.status_code, answer.url) == (302, "/")
    else:
        assert answer.status_code == 403
        assert b"<html" in answer.content
    assert counts() == before
    assert client.session.session_key == session


@pytest.mark.parametrize(("route", "method"), ROUTES)
@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("", ""),
        ("System administrator", "account"),
        ("Department administrator", "department"),
        ("Viewer", "sibling"),
    ],
)
def test_a_session_has_the_same_permissions_as_a_token(
    world: World, route: str, method: str, role: str, place: str
) -> None:
    if role:
        factories.rule(world.person, role, world.places[place])
    client = with_token(signed_in(world.person))
    entry = TABLE[route][method]
    status = send(client, world, route, method).status_code
    assert status == expected(entry["requires"], entry["answers"], role, place)


@pytest.mark.parametrize(("route", "method"), ROUTES)
def test_the_session_of_a_disabled_user_is_invalid(world: World, route: str, method: str) -> None:
    factories.rule(world.person, "System administrator", world.places["account"])
    client = with_token(signed_in(world.person))
    world.person.subject.enabled = False
    world.person.subject.save()
    answer: Any = send(client, world, route, method)
    assert answer.status_code == 401
    assert json.loads(answer.content)["code"] == 401
