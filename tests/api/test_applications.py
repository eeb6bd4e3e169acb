"""/api/v1/apps and /api/v1/service-accounts."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accessrules.models import AccessRule
from applications.models import Application
from applications.oauth.secrets import is_well_formed
from applications.oauth.tokens import issue
from runai_access.audit.models import AuditEvent
from tests import factories
from tests.api.conftest import As, Organization

pytestmark = pytest.mark.django_db
APPS = "/api/v1/apps"


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    data = b"" if body is None else json.dumps(body)
    return client.generic(method, path, data, content_type="application/json")


def test_an_application_has_every_member_of_the_contract(
    as_: As, administrator: Application
) -> None:
    [answer] = as_(administrator).get(APPS).json()
    assert answer == {
        "id": str(administrator.pk),
        "name": "root",
        "clientId": "root",
        "tenantId": "1001",
        "enabled": True,
        "createdBy": factories.MAKER,
        "createdAt": answer["createdAt"],
        "updatedAt": answer["updatedAt"],
        "lastLogin": None,
        "tokenLifetime": None,
        "owner": None,
        "ownerType": None,
        "description": "",
        "labels": {},
        "allowedAddresses": [],
        "secretCount": 1,
        "oldestSecretAt": answer["oldestSecretAt"],
        "nextSecretExpiry": None,
        "containedAt": None,
        "dormancy": None,
        "dormancySince": None,
    }
    assert answer["createdAt"].endswith("Z")


@pytest.mark.parametrize(
    ("path", "member"), [(APPS, "secret"), ("/api/v1/service-accounts", "clientSecret")]
)
def test_each_generation_has_its_own_member_name_for_the_secret(
    as_: As, administrator: Application, path: str, member: str
) -> None:
    client = as_(administrator)
    created = send(client, "POST", path, {"name": "nightly-build"})
    assert created.status_code == 201
    assert set(created.json()) == {"id", "name", "clientId", member}
    assert is_well_formed(created.json()[member])
    regenerated = send(client, "POST", f"{path}/{created.json()['id']}/secret")
    assert regenerated.status_code == 200
    assert set(regenerated.json()) == {member}
    assert regenerated.json()[member] != created.json()[member]


def test_both_paths_list_the_same_applications(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    send(client, "POST", APPS, {"name": "nightly-build"})
    assert client.get(APPS).json() == client.get("/api/v1/service-accounts").json()


def test_created_by_names_the_calling_application(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    made = send(client, "POST", APPS, {"name": "nightly-build"}).json()
    assert client.get(f"{APPS}/{made['id']}").json()["createdBy"] == "root"


def test_responses_with_a_secret_are_not_cacheable(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    created = send(client, "POST", APPS, {"name": "nightly-build"})
    assert created.headers["Cache-Control"] == "no-store"
    regenerated = send(client, "POST", f"{APPS}/{created.json()['id']}/secret")
    assert regenerated.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "name: This field is required."),
        ({"name": None}, "name: This field may not be null."),
        ({"name": 7}, "name: Not a valid string."),
        ({"name": ["x"]}, "name: Not a valid string."),
        ({"name": ""}, "name: Enter a name."),
        ({"name": "Nightly"}, "lowercase"),
        ({"name": " nightly"}, "lowercase"),
        ({"name": "nightly\n"}, "lowercase"),
        ({"name": "x" * 300}, "this one has 300"),
        ({"name": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "UUID"),
        ({"name": "nul\x00byte"}, "Null characters"),
        ({"name": "lone\ud800"}, "name: "),
    ],
)
def test_an_invalid_name_is_refused_with_field_and_expected_format(
    as_: As, administrator: Application, body: Any, expected: str
) -> None:
    answer = send(as_(administrator), "POST", APPS, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert expected in answer.json()["details"]
    assert Application.objects.count() == 1


def test_a_name_in_use_is_409_with_the_contracts_message(
    as_: As, administrator: Application
) -> None:
    answer = send(as_(administrator), "POST", APPS, {"name": "root"})
    assert answer.status_code == 409
    assert answer.json() == {
        "code": 409,
        "message": "Resource with this name already exists",
        "details": "name: The name root is taken.",
    }


def test_unknown_members_are_ignored(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    body = {"name": "nightly", "enabled": False, "id": str(uuid.uuid4()), "secret": "mine"}
    made = send(client, "POST", APPS, body).json()
    shown = client.get(f"{APPS}/{made['id']}").json()
    assert shown["enabled"] is True
    assert made["id"] != body["id"]
    assert made["secret"] != "mine"


def test_disabling_and_enabling_changes_updated_at(as_: As, administrator: Application) -> None:
    client = as_(administrator)
    id_ = send(client, "POST", APPS, {"name": "nightly"}).json()["id"]
    before = client.get(f"{APPS}/{id_}").json()
    disabled = send(client, "PATCH", f"{APPS}/{id_}", {"enabled": False})
    assert disabled.status_code == 200
    assert disabled.json()["enabled"] is False
    assert disabled.json()["updatedAt"] > before["updatedAt"]
    assert send(client, "PATCH", f"{APPS}/{id_}", {"enabled": True}).json()["enabled"] is True


@pytest.mark.parametrize("value", ["false", 0, None, [], {}])
def test_enabled_accepts_only_booleans(as_: As, administrator: Application, value: Any) -> None:
    target = factories.application("nightly")
    answer = send(as_(administrator), "PATCH", f"{APPS}/{target.pk}", {"enabled": value})
    assert answer.status_code == 400
    assert answer.json()["details"].startswith("enabled: ")
    assert client_sees_enabled(as_(administrator), target)


def client_sees_enabled(client: Client, application: Application) -> bool:
    shown: bool = client.get(f"{APPS}/{application.pk}").json()["enabled"]
    return shown


def test_an_application_can_have_its_own_token_lifetime(
    as_: As, administrator: Application
) -> None:
    target = factories.application("nightly")
    client = as_(administrator)
    set_ = send(client, "PATCH", f"{APPS}/{target.pk}", {"tokenLifetime": 600})
    assert (set_.status_code, set_.json()["tokenLifetime"]) == (200, 600)
    target.refresh_from_db()
    assert issue(target).expires_in == 600
    back = send(client, "PATCH", f"{APPS}/{target.pk}", {"tokenLifetime": None})
    assert back.json()["tokenLifetime"] is None
    target.refresh_from_db()
    assert issue(target).expires_in == 3600


@pytest.mark.parametrize("seconds", [0, 119, 86_401, 2**40, "long", True])
def test_an_invalid_token_lifetime_prevents_all_changes(
    as_: As, administrator: Application, seconds: Any
) -> None:
    target = factories.application("nightly")
    body = {"enabled": False, "tokenLifetime": seconds}
    answer = send(as_(administrator), "PATCH", f"{APPS}/{target.pk}", body)
    assert answer.status_code == 400
    assert "tokenLifetime" in answer.json()["details"]
    assert client_sees_enabled(as_(administrator), target)


def test_an_empty_change_is_refused(as_: As, administrator: Application) -> None:
    target = factories.application("nightly")
    answer = send(as_(administrator), "PATCH", f"{APPS}/{target.pk}", {})
    assert answer.status_code == 400
    assert answer.json()["message"] == "Required parameter is missing"


def test_deleting_is_204_and_deletes_the_access_rules(
    as_: As, administrator: Application, organization: Organization
) -> None:
    target = factories.application("nightly", ("Viewer", organization.vision))
    client = as_(administrator)
    answer = client.delete(f"{APPS}/{target.pk}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(f"{APPS}/{target.pk}").status_code == 404
    assert not AccessRule.objects.living().filter(subject=target.pk).exists()


@pytest.mark.parametrize("id_", ["nope", factories.UNKNOWN_ID, "%00", "ä", "0" * 200])
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"enabled": False}),
        ("DELETE", "", None),
        ("POST", "/secret", None),
    ],
)
def test_an_unknown_or_malformed_id_is_404(
    as_: As, administrator: Application, id_: str, method: str, suffix: str, body: Any
) -> None:
    answer = send(as_(administrator), method, f"{APPS}/{id_}{suffix}", body)
    assert answer.status_code == 404
    assert answer.json()["message"] == "Resource id not found."


def test_without_a_rule_every_request_is_403_with_a_reason(
    as_: As, administrator: Application
) -> None:
    client = as_(factories.application("newcomer"))
    for method, path, body in [
        ("GET", APPS, None),
        ("POST", APPS, {"name": "mine"}),
        ("GET", f"{APPS}/{administrator.pk}", None),
        ("PATCH", f"{APPS}/{administrator.pk}", {"enabled": False}),
        ("DELETE", f"{APPS}/{administrator.pk}", None),
        ("POST", f"{APPS}/{administrator.pk}/secret", None),
    ]:
        answer = send(client, method, path, body)
        assert answer.status_code == 403, (method, path)
        assert answer.json()["message"] == "You do not have sufficient permissions."
        assert "applications" in answer.json()["details"]
        assert "root" not in answer.content.decode()


def test_a_department_viewer_lists_its_applications_and_changes_none(
    as_: As, administrator: Application, organization: Organization
) -> None:
    inside = factories.application("inside", ("Viewer", organization.training))
    outside = factories.application("outside", ("Viewer", organization.speech))
    client = as_(factories.application("reader", ("Department administrator", organization.vision)))
    assert [row["name"] for row in client.get(APPS).json()] == ["inside", "reader"]
    assert client.get(f"{APPS}/{outside.pk}").status_code == 404
    assert client.delete(f"{APPS}/{inside.pk}").status_code == 403
    assert Application.objects.filter(pk=inside.pk).exists()


def test_visible_but_not_allowed_is_403_and_not_visible_is_404(
    as_: As, organization: Organization
) -> None:
    inside = factories.application("inside", ("Viewer", organization.training))
    outside = factories.application("outside", ("Viewer", organization.dictation))
    client = as_(factories.application("keeper", ("System administrator", organization.vision)))
    assert client.delete(f"{APPS}/{inside.pk}").status_code == 403
    assert client.delete(f"{APPS}/{outside.pk}").status_code == 404


def test_regenerating_for_an_application_with_more_access_is_refused(
    as_: As, administrator: Application
) -> None:
    helper = factories.application("helper", ("Cloud operator", factories.account()))
    answer = send(as_(helper), "POST", f"{APPS}/{administrator.pk}/secret")
    assert answer.status_code == 403
    assert "root has" in answer.json()["details"]


def test_a_list_supports_limit_offset_sort_filter_and_search(
    as_: As, administrator: Application
) -> None:
    for name in ["build-a", "build-b", "build-c", "deploy"]:
        factories.application(name)
    client = as_(administrator)
    page = client.get(APPS, {"search": "BUILD", "limit": 2, "sortBy": "name", "sortOrder": "desc"})
    assert [row["name"] for row in page.json()] == ["build-c", "build-b"]
    assert page.headers["X-Total-Count"] == "3"
    assert 'rel="next"' in page.headers["Link"]
    rest = client.get(
        APPS, {"search": "build", "limit": 2, "offset": 2, "sortBy": "name", "sortOrder": "desc"}
    )
    assert [row["name"] for row in rest.json()] == ["build-a"]
    assert 'rel="prev"' in rest.headers["Link"]
    named = client.get(APPS, {"filterBy": ["name=^build", "name!=build-b"]})
    assert [row["name"] for row in named.json()] == ["build-a", "build-c"]


def test_without_limit_all_applications_are_listed(as_: As, administrator: Application) -> None:
    for number in range(60):
        factories.application(f"app-{number}")
    answer = as_(administrator).get(APPS)
    assert len(answer.json()) == 61
    assert answer.headers["X-Total-Count"] == "61"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "9" * 30}, "offset"),
        ({"sortBy": "secret_hash"}, "sortBy"),
        ({"sortBy": "name", "sortOrder": "up"}, "sortOrder"),
        ({"filterBy": "secret_hash=^$argon"}, "filterBy"),
        ({"filterBy": "name"}, "filterBy"),
        ({"filterBy": "name>=a"}, "name"),
        ({"filterBy": "createdAt>=yesterday"}, "createdAt"),
        ({"filterBy": "enabled==maybe"}, "enabled"),
        ({"search": "a\x00b"}, "NUL"),
    ],
)
def test_an_invalid_parameter_is_a_400_with_its_name(
    as_: As, administrator: Application, query: dict[str, str], named: str
) -> None:
    answer = as_(administrator).get(APPS, query)
    assert answer.status_code == 400
    assert named in answer.json()["details"]


@pytest.mark.usefixtures("known_keys")
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    as_: As, administrator: Application, django_assert_num_queries: Any
) -> None:
    client = as_(administrator)
    client.get(APPS)
    with django_assert_num_queries(3):  # the token, the authority, the rows
        client.get(APPS)
    for number in range(30):
        factories.application(f"app-{number}", ("Viewer", factories.account()))
    with django_assert_num_queries(3):
        assert len(client.get(APPS).json()) == 31


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'["name"]', "application/json", 400),
        (b'{"name": "one", "name": "two"}', "application/json", 400),
        (b'{"name": "\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": "nightly"}', "text/plain", 415),
        (b'{"name": "' + b"x" * 10_000_000 + b'"}', "application/json", 413),
    ],
)
def test_an_invalid_body_is_refused_with_an_error_of_the_contract(
    as_: As, administrator: Application, body: bytes, content_type: str, status: int
) -> None:
    answer = as_(administrator).generic("POST", APPS, body, content_type=content_type)
    assert answer.status_code == status
    assert answer.json()["code"] == status
    assert answer.json()["message"]
    assert Application.objects.count() == 1


def test_an_unsupported_method_is_405_with_the_allowed_ones(
    as_: As, administrator: Application
) -> None:
    answer = send(as_(administrator), "PUT", APPS, {"name": "x"})
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_denial_is_audited_once_a_minute(as_: As, administrator: Application) -> None:
    client = as_(factories.application("newcomer"))
    for _ in range(3):
        client.get(APPS)
    [event] = AuditEvent.objects.filter(subject_name="newcomer", result="Failed")
    assert (event.action, event.entity_name) == ("read", APPS)
    assert "“View applications” permission" in event.reason


def test_a_session_can_use_the_api_with_csrf_protection(administrator: Application) -> None:
    person = factories.person("ada@acme.example", "System administrator")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.get(APPS).status_code == 200
    refused = send(client, "POST", APPS, {"name": "forged"})
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["details"]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        "Bearer a b",
        "Bearer not-a-token",
        "Bearer ä",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_without_a_valid_token_the_response_is_401(db: None, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = Client().get(APPS, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["message"] == "Issuer is not familiar."
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_in_the_url_is_ignored(as_: As, administrator: Application) -> None:
    token = issue(administrator).text
    assert Client().get(APPS, {"access_token": token}).status_code == 401


# Owner, description and labels.


def test_details_are_changed_found_and_sorted(as_: As, administrator: Application) -> None:
    api = as_(administrator)
    factories.group("ops")
    nightly = factories.application("nightly")
    change = {
        "owner": "ops", "description": "Trains", "labels": {"team": "vision", "env": "prod"},
        "allowedAddresses": ["192.0.2.0/24", "2001:db8::1/128"],
    }  # fmt: skip
    answer = send(api, "PATCH", f"{APPS}/{nightly.pk}", change)
    assert answer.status_code == 200
    expected = {**change, "ownerType": "group"}
    assert {name: answer.json()[name] for name in expected} == expected
    (listed,) = api.get(f"{APPS}?filterBy=owner==OPS,labels==env=PROD,description=@train").json()
    assert listed == answer.json()
    for condition in ("owner!=null", "labels=^team=", "owner=@op"):
        assert [row["name"] for row in api.get(f"{APPS}?filterBy={condition}").json()] == [
            "nightly"
        ]
    for condition in ("owner==null", "labels!=env=prod", "owner!@op"):
        assert [row["name"] for row in api.get(f"{APPS}?filterBy={condition}").json()] == ["root"]
    assert [row["name"] for row in api.get(f"{APPS}?sortBy=owner").json()] == ["nightly", "root"]
    assert api.get(f"{APPS}?search=vision").json() == [listed]
    send(api, "PATCH", f"{APPS}/{nightly.pk}", {"owner": None, "labels": {}})
    answer = api.get(f"{APPS}/{nightly.pk}").json()
    assert (answer["owner"], answer["ownerType"], answer["labels"]) == (None, None, {})


@pytest.mark.parametrize("term", ["ops", "ops team", "m"])
def test_only_the_description_is_compared(as_: As, administrator: Application, term: str) -> None:
    """The index that finds it also has the name, the creator, the owner and the labels."""
    api = as_(administrator)
    factories.group("ops")
    descriptions = {"ops": "Trains", "one": "Ops", "two": "ops team", "three": "The ops team"}
    for name, description in descriptions.items():
        details = {"owner": "ops", "description": description, "labels": {"team": "ops"}}
        answer = send(api, "PATCH", f"{APPS}/{factories.application(name).pk}", details)
        assert answer.status_code == 200
    texts = {name: text.lower() for name, text in descriptions.items()} | {"root": ""}
    tests: dict[str, Callable[[str, str], Any]] = {
        "==": str.__eq__, "!=": str.__ne__, "=^": str.startswith, "=$": str.endswith,
        "=@": str.__contains__, "!@": lambda text, part: part not in text,
    }  # fmt: skip
    for operator, is_match in tests.items():
        rows = api.get(f"{APPS}?filterBy=description{operator}{term}").json()
        expected = {name for name, text in texts.items() if is_match(text, term)}
        assert {row["name"] for row in rows} == expected, operator


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"owner": "nobody"}, "owner: There is no user or group named “nobody”."),
        ({"owner": ""}, "owner: "),
        ({"owner": "ops", "ownerType": "app"}, "ownerType: Must be one of user, group"),
        ({"description": "x" * 501}, "description: A description must have at most 500"),
        ({"labels": ["env=prod"]}, "labels: "),
        ({"labels": {"env": 1}}, "labels"),
        ({"labels": {"Env": "prod"}}, "labels: “Env” is not the key of a label."),
        ({"labels": {"env": "v" * 300}}, "labels: The value of a label must have at most 100"),
        ({"enabled": False, "owner": "nobody"}, "owner: "),
        ({"allowedAddresses": ["10.0.0.1/8"]}, "allowedAddresses: “10.0.0.1/8” is an address in a"),
        ({"allowedAddresses": "10.0.0.1"}, "allowedAddresses: "),
        ({"allowedAddresses": ["10.0.0.1"] * 51}, "allowedAddresses: An application can have at"),
    ],
)
def test_invalid_details_are_refused_and_change_nothing(
    as_: As, administrator: Application, change: dict[str, Any], details: str
) -> None:
    answer = send(as_(administrator), "PATCH", f"{APPS}/{administrator.pk}", change)
    assert answer.status_code == 400
    assert answer.json()["details"].startswith(details)
    found = Application.objects.get()
    assert (found.enabled, found.owner, found.description, found.labels) == (True, None, "", {})


@pytest.mark.parametrize("name", ["labels", "description"])
def test_a_field_without_an_order_cannot_be_sorted_by(
    as_: As, administrator: Application, name: str
) -> None:
    assert as_(administrator).get(f"{APPS}?sortBy={name}").status_code == 400


def test_owner_manages_secrets_in_a_narrow_scope(as_: As, organization: Organization) -> None:
    factories.custom_role("Application manager", apps="ru")
    owner = factories.application("owner", ("Application manager", organization.vision))
    group = factories.group("ops", owner)
    owned = factories.application("owned")
    api = as_(owner)
    path = f"{APPS}/{owned.pk}/secrets"
    assert send(api, "POST", path, {}).status_code == 404
    Application.objects.filter(pk=owned.pk).update(owner=group)
    answer = send(api, "POST", path, {})
    assert answer.status_code == 201
    assert send(api, "DELETE", f"{path}/{answer.json()['id']}").status_code == 204
    assert send(api, "POST", f"{APPS}/{owned.pk}/secret").status_code == 200
    assert send(api, "PATCH", f"{APPS}/{owned.pk}", {"description": "x"}).status_code == 403
