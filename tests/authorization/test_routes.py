"""Deny by default: every route, method, role and scope, against `routes.toml`.

Computes the expected results from that table and the role data, without the product's code.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accessrules.models import AccessRule, Role, Scope
from applications.models import Application
from applications.oauth.tokens import issue
from runai_access.accounts.models import GroupMapping, User
from runai_access.audit.models import AuditEvent
from runai_access.settings import IS_SQLITE
from tests import factories, sizes
from tests.browsers import signed_in

HERE = Path(__file__).parent
TABLE: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    (HERE / "routes.toml").read_text(encoding="utf-8")
)
DATA = Path(settings.BASE_DIR) / "accessrules/data"
LETTERS = {"c": "create", "r": "read", "u": "update", "d": "delete"}
HELD: dict[str, set[tuple[str, str]]] = {
    role["name"]: {
        (LETTERS[letter], type_)
        for letters, types in role["permissions"].items()
        for type_ in types
        for letter in letters
    }
    for name in ("roles.toml", "additional_roles.toml")
    for role in tomllib.loads((DATA / name).read_text(encoding="utf-8"))["roles"]
}
PERMISSIONS = sorted(set().union(*HELD.values()))
# A rule in the scope on the left applies to objects in the scopes on the right.
HOLDS_IN = {
    "project": {"project", "anywhere"},
    "department": {"project", "department", "anywhere"},
    "cluster": {"project", "department", "cluster", "anywhere"},
    "account": {"project", "department", "cluster", "account", "anywhere"},
    "sibling": {"anywhere"},
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
FORM = "application/x-www-form-urlencoded"
PROGRAMS = ("api/", "v1/", "oauth2/", ".well-known/", "scim/")
REQUIREMENT = re.compile(r"(\w+) (.+) in (\w+?)(?: else (\d+))?")
ENTRIES = [(route, method) for route, methods in TABLE.items() for method in methods]
GUARDED = [
    (route, method)
    for route, method in ENTRIES
    if isinstance(TABLE[route][method]["requires"], list)
]


def routes(patterns: list[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    for pattern in patterns:
        address = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        else:
            yield address


@cache
def refusal(requirement: str, role: str, place: str) -> int:
    """Return the status if a caller with that one rule does not meet `requirement`, else 0."""
    held = HELD.get(role, set())
    match = REQUIREMENT.fullmatch(requirement)
    assert match, f"routes.toml: invalid requirement {requirement!r}"
    verb, what, where, status = match.groups()
    if verb in ("grant", "handle"):
        needed = HELD[what] | ({("create", "access_rules")} if verb == "grant" else set())
        has = needed <= held
    else:
        has = any((verb, type_) in held for type_ in what.split("|"))
    return 0 if has and where in HOLDS_IN.get(place, ()) else int(status or 403)


def expected(requires: Iterable[str], answers: int, role: str, place: str) -> int:
    """Return the status for a caller with that one rule: that of the first requirement not met."""
    return next((status for item in requires if (status := refusal(item, role, place))), answers)


@dataclass(frozen=True)
class World:
    """The objects of the URLs, and a caller whose only rule changes with each check.

    `ids` and `values` are what the parameters of URLs and the placeholders of bodies stand for.
    """

    places: dict[str, Scope]
    person: User
    program: Application
    session: str
    ids: dict[str, Any]
    values: dict[str, Any]

    def address(self, route: str) -> str:
        ids = self.ids | {
            "id_": self.ids.get(f"of {route.partition('/')[0]}", self.ids["application_id"]),
            "name": USER_SCHEMA if "Schemas" in route else "User",
            "uid": self._uid(route),
        }
        return "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(ids[found[1]]), route)

    def _uid(self, route: str) -> str:
        name = "cluster" if "clusters" in route else "department"
        return self.places[
            name if "project" not in route and "scope-" not in route else "project"
        ].uid

    def body(self, value: Any) -> Any:
        """Replace the placeholders of a body."""
        if isinstance(value, dict):
            return {key: self.body(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.body(inner) for inner in value]
        return self.values.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def world(db: None, shared_world: World) -> World:
    """The rows of all tests in this file; each test's changes are rolled back."""
    return shared_world


@pytest.fixture(scope="module")
def shared_world(rows_of_module: None) -> World:
    event = AuditEvent.objects.create(action="create", entity_name="ci", result="Succeeded")
    east, west = factories.cluster("east"), factories.cluster("west")
    department = factories.department("vision", east)
    project = factories.project("training", department)
    sibling = factories.project("dictation", factories.department("speech", west))
    pat = factories.person("pat@acme.example", "Viewer", project)
    SocialAccount.objects.create(user=pat, provider="https://id.example", uid="pat")
    factor = Authenticator.objects.create(user=pat, type="totp", data={})
    group = factories.group("engineers", pat)
    factories.rule(group, "Viewer", project)
    ci = factories.application("ci")
    rule = factories.rule(ci, "Viewer", project)
    person, program = factories.person("caller@acme.example"), factories.application("caller")
    browser = signed_in(person)
    issue(program)  # creates the signing key
    return World(
        places={
            "project": project,
            "department": department,
            "cluster": east,
            "account": factories.account(),
            "sibling": sibling,
        },
        person=person,
        program=program,
        session=browser.cookies[settings.SESSION_COOKIE_NAME].value,
        ids={
            "of users": pat.pk,
            "of groups": group.pk,
            "member_id": pat.pk,
            "application_id": ci.pk,
            "subject_id": ci.pk,
            "user_id": pat.pk,
            "group_id": group.pk,
            "secret_id": ci.secrets.get().pk,
            "rule_id": rule.pk,
            "session_id": factories.UNKNOWN_ID,
            "factor_id": factor.pk,
            "mapping_id": GroupMapping.objects.create(value="eng", group_id=group.pk).pk,
            "event_id": event.pk,
            "role_id": 7,
            "scope_id": project.pk,
            "scope_type": "project",
        },
        values={
            "{role}": factories.role("L2 researcher").pk,
            "{scope}": project.pk,
            "{scope_uid}": project.uid,
            "{rule}": str(rule.pk),
            "{application}": str(ci.pk),
            "{group}": str(group.pk),
            "{person}": str(pat.pk),
            "{department}": department.pk,
            "{elsewhere}": sibling.parent_id,
        },
    )


def is_for_programs(route: str) -> bool:
    return route.startswith(PROGRAMS) and route != "api/docs/"


def client_of(world: World, route: str) -> Client:
    if is_for_programs(route):
        return Client(headers={"Authorization": f"Bearer {issue(world.program).text}"})
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = world.session
    return client


def send(client: Client, world: World, route: str, method: str) -> HttpResponseBase:
    """Send the request of the table, and roll back its changes."""
    entry = TABLE[route].get(method, {})
    body = world.body(entry.get("body", {}))
    options: dict[str, Any] = {"data": body or None}
    is_form = "form" in entry or (method == "POST" and not is_for_programs(route))
    if is_form:
        options = {"data": urlencode(body), "content_type": FORM}
    elif method != "GET":
        options = {"data": json.dumps(body), "content_type": "application/json"}
    with transaction.atomic():
        response = getattr(client, method.lower())(
            world.address(route) + entry.get("query", ""), **options
        )
        transaction.set_rollback(True)
    return response


def test_table_lists_every_route_and_no_others() -> None:
    served = set(routes(get_resolver().url_patterns))
    missing, obsolete = sorted(served - set(TABLE)), sorted(set(TABLE) - served)
    assert not missing, (
        f"No entry in tests/authorization/routes.toml for {missing}. Add the methods of each URL, "
        'for example GET = { requires = ["read apps in anywhere"], answers = 200 }.'
    )
    assert not obsolete, f"tests/authorization/routes.toml has unknown URLs: {obsolete}."


@pytest.mark.any_database
@pytest.mark.parametrize("route", TABLE)
def test_methods_not_in_the_table_return_405(world: World, route: str) -> None:
    for holder in (world.person, world.program):
        factories.rule(holder, "System administrator", world.places["account"])
    client = client_of(world, route)
    for method in METHODS:
        if method not in TABLE[route]:
            status = send(client, world, route, method).status_code
            assert status == 405, (
                f"{method} {route} answers {status}: add it to tests/authorization/routes.toml "
                "with what it requires, or let it answer 405."
            )


@pytest.mark.any_database
@pytest.mark.parametrize(("route", "method"), ENTRIES)
def test_anonymous_requests_are_refused(world: World, route: str, method: str) -> None:
    entry = TABLE[route][method]
    response = send(Client(), world, route, method)
    if entry["requires"] in ("open", "credentials"):
        assert response.status_code == entry["answers"]
    elif is_for_programs(route):
        assert response.status_code == 401
    else:
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/")


def mistakes(requires: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield wrong requirements: one left out, or one with another permission."""
    for position, requirement in enumerate(requires):
        before, after = requires[:position], requires[position + 1 :]
        yield before + after
        where = requirement.partition(" in ")[2]
        for verb, type_ in PERMISSIONS:
            yield (*before, f"{verb} {type_} in {where}", *after)


@cache
def revealing_roles(requires: tuple[str, ...]) -> set[str]:
    """Return a small set of roles whose status in the account reveals each mistake.

    Of a wrong permission, one role has only the right one and another only the wrong one. So it also
    reveals a permission that is accepted as an alternative.
    """
    right, *wrong = (
        {role: expected(items, 200, role, "account") for role in HELD}
        for items in (requires, *mistakes(requires))
    )
    revealing = [
        {
            role
            for role in HELD
            if status[role] != right[role] and (right[role] == 200) is is_allowed
        }
        for status in wrong
        for is_allowed in (True, False)
    ]
    chosen: set[str] = set()
    while revealing := [roles for roles in revealing if roles and not roles & chosen]:
        chosen.add(max(HELD, key=lambda role: sum(role in roles for roles in revealing)))
    return chosen


def grants_to_try(world: World, requires: list[str]) -> list[tuple[Role, str]]:
    """Return the roles and scopes to try on a route.

    In small runs, every scope with the role that has all permissions, and the roles that reveal a wrong
    permission. Roles do not depend on the database.
    """
    grants = list(product(Role.objects.order_by("pk"), world.places))
    if sizes.IS_LARGE:
        return grants
    tried = {("System administrator", place) for place in world.places}
    if IS_SQLITE:
        tried |= {(role, "account") for role in revealing_roles(tuple(requires))}
    return [(role, place) for role, place in grants if (role.name, place) in tried]


@pytest.mark.parametrize(("route", "method"), GUARDED)
def test_each_role_in_each_scope_gets_the_expected_status(
    world: World, route: str, method: str
) -> None:
    client, entry = client_of(world, route), TABLE[route][method]
    requires, answers = entry["requires"], entry["answers"]
    caller = world.program if is_for_programs(route) else world.person
    wrong = []

    def check(name: str, wanted: int) -> None:
        status = send(client, world, route, method).status_code
        if status != wanted:
            wrong.append(f"{name}: {status}, not {wanted}")

    check("no rule", expected(requires, answers, "", ""))
    rule = factories.rule(caller, "Viewer", world.places["account"])
    for role, place in grants_to_try(world, requires):
        AccessRule.objects.filter(pk=rule.pk).update(role=role, scope=world.places[place])
        check(f"{role} in the {place}", expected(requires, answers, role.name, place))
    assert not wrong, f"{method} {route}\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("route", "method"),
    [entry for entry in ENTRIES if TABLE[entry[0]][entry[1]]["requires"] == "signed in"],
)
def test_some_routes_require_only_sign_in(world: World, route: str, method: str) -> None:
    client = client_of(world, route)
    assert send(client, world, route, method).status_code == TABLE[route][method]["answers"]
