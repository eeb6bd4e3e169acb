"""Invalid requests get SCIM errors; lists take few queries."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests import factories
from tests.scim.conftest import BASE, GROUP, PATCH_OP, SCIM, USER, ScimClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "scim_type"),
    [
        ('userName eq "rosa@acme.example"', ""),
        ('id eq "nonsense"', ""),
        (r'externalId eq "\u0000"', ""),
        (r'userName eq "\u0000"', ""),
        ('emails.value eq "rosa@acme.example"', ""),
        ("userName eq rosa", "invalidFilter"),
        ('userNam eq "rosa"', "invalidFilter"),
        ('userName co "rosa"', "invalidFilter"),
        ('userName eq "a" or userName eq "b"', "invalidFilter"),
        ("active eq true", "invalidFilter"),
        ("userName eq null", "invalidFilter"),
        ("not " + "(" * 500, "invalidFilter"),
        ('userName eq "' + "x" * 2000 + '"', "invalidFilter"),
    ],
)
def test_filters_of_users_are_applied_or_refused(
    scim: ScimClient, text: str, scim_type: str
) -> None:
    response = scim.get("/Users", filter=text)
    assert response.status_code == (400 if scim_type else 200), response.content
    assert response.json().get("scimType", "") == scim_type


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "move", "path": "active"}, "invalidValue"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": "x" * 2001, "value": "x"}, "invalidPath"),
        ({"op": "replace", "value": {"x" * 2001: "x"}}, "invalidPath"),
        ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
        ({"op": "replace", "path": "displ ay", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "displayName", "value": "\x00"}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": {"a": 1}}, "invalidValue"),
        ({"op": "replace", "path": "externalId", "value": "x" * 256}, "invalidValue"),
        ({"op": "replace", "path": "externalId", "value": "\x00"}, "invalidValue"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "replace", "value": ["x"]}, "invalidValue"),
        ({"op": "replace", "path": 5, "value": ["x"]}, "invalidValue"),
    ],
)
def test_invalid_operations_on_users_are_refused(
    scim: ScimClient, operation: dict[str, Any], scim_type: str
) -> None:
    rosa = factories.person("rosa@acme.example")
    response = scim.patch(f"/Users/{rosa.pk}", operation)
    assert response.status_code == 400, response.content
    assert response.json()["scimType"] == scim_type


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "nonsense"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": None}]}, "invalidValue"),
        (
            {"op": "add", "path": "members", "value": [{"value": factories.UNKNOWN_ID}]},
            "invalidValue",
        ),
        ({"op": "remove", "path": 'members[value sw "a"]'}, "invalidPath"),
        ({"op": "remove", "path": 'members[type eq "User"]'}, "invalidPath"),
        ({"op": "replace", "path": "members.value", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "displayName", "value": ""}, "invalidValue"),
    ],
)
def test_invalid_operations_on_groups_are_refused(
    scim: ScimClient, operation: dict[str, Any], scim_type: str
) -> None:
    group = factories.group("engineers")
    response = scim.patch(f"/Groups/{group.pk}", operation)
    assert response.status_code == 400, response.content
    assert response.json()["scimType"] == scim_type


def test_a_group_is_no_member_of_a_group(scim: ScimClient) -> None:
    group, other = factories.group("engineers"), factories.group("others")
    change = {"op": "add", "path": "members", "value": [{"value": str(other.pk)}]}
    assert scim.patch(f"/Groups/{group.pk}", change).status_code == 400


@pytest.mark.parametrize(
    ("body", "content_type", "status", "scim_type"),
    [
        (b"{", SCIM, 400, "invalidSyntax"),
        (b"[]", "application/json", 400, "invalidSyntax"),
        (b"{}", SCIM, 400, "invalidValue"),
        (b"a=b", "application/x-www-form-urlencoded", 415, None),
        (b'{"userName": "no email"}', SCIM, 400, "invalidValue"),
        (b'{"userName": 5}', SCIM, 400, "invalidValue"),
        (b'{"userName": "rosa@acme.example", "active": null}', SCIM, 400, "invalidValue"),
    ],
)
def test_invalid_bodies_are_refused(
    okta: Any, secret: str, body: bytes, content_type: str, status: int, scim_type: str | None
) -> None:
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    response = client.post(f"{BASE}/Users", body, content_type)
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == SCIM
    assert response.json().get("scimType") == scim_type
    assert response.json()["status"] == str(status)


def test_a_patch_without_operations_is_refused(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    client = scim._client
    for body in ({"schemas": [PATCH_OP]}, {"schemas": [PATCH_OP], "Operations": []}):
        response = client.patch(f"{BASE}/Users/{rosa.pk}", body, SCIM)
        assert response.status_code == 400


def test_a_patch_with_too_many_operations_is_refused(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    operation = {"op": "replace", "path": "displayName", "value": "Rosa"}
    assert scim.patch(f"/Users/{rosa.pk}", *[operation] * 1001).status_code == 413


def test_a_request_with_too_many_members_is_refused(
    scim: ScimClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runai_access.scim.provisioning.MAX_CHANGED_MEMBERS", 2)
    people = [factories.person(f"user-{n}@acme.example") for n in range(4)]
    group = factories.group("engineers", *people[:2])
    members = [{"value": str(person.pk)} for person in people]
    body = {"schemas": [GROUP], "displayName": "engineers", "members": members}
    assert scim.put(f"/Groups/{group.pk}", body).status_code == 200  # two of them are new
    assert scim.put(f"/Groups/{group.pk}", {**body, "members": []}).status_code == 413
    assert len(scim.get(f"/Groups/{group.pk}").json()["members"]) == 4


@pytest.mark.parametrize("path", ["/Users/nonsense", f"/Users/{factories.UNKNOWN_ID}", "/Nothing"])
def test_missing_resources_are_scim_errors(scim: ScimClient, path: str) -> None:
    response = scim.get(path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == SCIM
    assert response.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_an_unsupported_method_is_405(scim: ScimClient) -> None:
    assert scim.delete("/Users").status_code == 405
    assert scim.delete("/Schemas").json()["status"] == "405"


def test_descriptions_have_no_filter(scim: ScimClient) -> None:
    """RFC 7644 §4."""
    assert scim.get("/Schemas", filter='id eq "x"').status_code == 403


@pytest.mark.parametrize(
    ("start", "count", "position", "size"),
    [(1, 2, 1, 2), (3, 2, 3, 1), (0, 2, 1, 2), (-5, 2, 1, 2), (9, 2, 9, 0), (1, 0, 1, 0)],
)
def test_a_page_starts_at_its_index(
    scim: ScimClient, start: int, count: int, position: int, size: int
) -> None:
    """RFC 7644 §3.4.2.4."""
    for name in ("a", "b", "c"):
        factories.group(name)
    page = scim.get("/Groups", startIndex=start, count=count).json()
    assert page["totalResults"] == 3
    assert (page["startIndex"], page["itemsPerPage"]) == (position, size)
    assert len(page["Resources"]) == size


def test_groups_are_sorted_by_name_on_all_pages(scim: ScimClient) -> None:
    for name in ("c", "a", "b"):
        factories.group(name)
    names = [
        scim.get("/Groups", startIndex=n, count=1).json()["Resources"][0]["displayName"]
        for n in (1, 2, 3)
    ]
    assert names == ["a", "b", "c"]


def test_huge_numbers_are_limited(scim: ScimClient) -> None:
    assert scim.get("/Users", startIndex=10**30, count=10**30).json()["Resources"] == []
    from runai_access.scim.resources import MAX_PAGE_SIZE  # the library takes long to import

    assert MAX_PAGE_SIZE == 500


def test_only_requested_attributes_are_returned(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    factories.group("engineers", rosa)
    some = scim.get(f"/Users/{rosa.pk}", attributes="userName,active").json()
    assert some.keys() == {"schemas", "id", "userName", "active"}
    others = scim.get(f"/Users/{rosa.pk}", excludedAttributes="groups,meta").json()
    assert others.keys() == {"schemas", "id", "userName", "active", "emails"}


@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_a_page_takes_the_same_queries_for_any_number_of_rows(
    scim: ScimClient, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(20):
        factories.group(f"group-{n}", factories.person(f"user-{n}@acme.example"))
    scim.get(path)
    with django_assert_max_num_queries(7):
        assert len(scim.get(path).json()["Resources"]) == 20


def test_a_new_resource_has_its_location(scim: ScimClient) -> None:
    response = scim.post("/Groups", {"schemas": [GROUP], "displayName": "engineers"})
    assert response.headers["Location"] == response.json()["meta"]["location"]
    body = {"schemas": [USER], "userName": "rosa@acme.example"}
    assert scim.post("/Users", body).json()["active"] is True
