"""Requests as Microsoft Entra ID documents and sends them.

Source: "Develop and plan provisioning for a SCIM endpoint in Microsoft Entra ID", its examples of
requests, with and without the feature flag `aadOptscim062020`.
"""

from typing import Any

import pytest

from accessrules.models import GroupMembership, Subject
from runai_access.accounts.models import User
from tests import factories
from tests.scim.conftest import GROUP, USER, ScimClient

pytestmark = pytest.mark.django_db
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NEW_USER = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee@Acme.example",
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": "Test_User_fd0ea19b@acme.example"}],
    "meta": {"resourceType": "User"},
    "name": {
        "formatted": "givenName familyName",
        "familyName": "familyName",
        "givenName": "givenName",
    },
    "roles": [],
    ENTERPRISE: {"employeeNumber": "701984", "department": "Tour Operations"},
}


def provisioned(scim: ScimClient, **changed: Any) -> Any:
    response = scim.post("/Users", {**NEW_USER, **changed})
    assert response.status_code == 201, response.json()
    return response.json()


def members_of(group: Subject) -> set[str]:
    memberships = GroupMembership.objects.filter(group=group)
    return set(memberships.values_list("member__name", flat=True))


def test_a_user_is_created_with_the_attributes_that_are_kept(scim: ScimClient) -> None:
    created = provisioned(scim)
    user = User.objects.get(email="test_user_ab6490ee@acme.example")
    assert created["id"] == str(user.pk)
    assert created["userName"] == user.email
    assert created["externalId"] == NEW_USER["externalId"]
    assert created["displayName"] == user.display_name == "givenName familyName"
    assert created["active"] is True
    assert created["emails"] == [{"value": user.email, "primary": True}]
    assert "name" not in created
    assert ENTERPRISE not in created
    assert not user.has_usable_password()


def test_a_user_is_found_by_user_name_in_any_case(scim: ScimClient) -> None:
    created = provisioned(scim)
    found = scim.get("/Users", filter='userName eq "Test_User_AB6490ee@acme.example"').json()
    assert found["totalResults"] == 1
    assert [user["id"] for user in found["Resources"]] == [created["id"]]


def test_the_query_for_a_missing_user_finds_nothing(scim: ScimClient) -> None:
    response = scim.get("/Users", filter='userName eq "non-existent user"')
    assert response.status_code == 200
    assert response.json() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }


@pytest.mark.parametrize("flag", [{}, {"aadOptscim062020": ""}])
@pytest.mark.parametrize("value", [False, "False", "false"])
def test_active_false_disables_in_every_spelling(
    scim: ScimClient, flag: dict[str, str], value: object
) -> None:
    created = provisioned(scim)
    path = f"/Users/{created['id']}" + ("?aadOptscim062020" if flag else "")
    response = scim.patch(path, {"op": "Replace", "path": "active", "value": value})
    assert response.status_code == 200
    assert response.json()["active"] is False
    assert not User.objects.get(pk=created["id"]).enabled


def test_ignored_attributes_do_not_prevent_the_others(scim: ScimClient) -> None:
    created = provisioned(scim)
    response = scim.patch(
        f"/Users/{created['id']}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@acme.example"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"},
        {"op": "Add", "path": 'addresses[type eq "work"].formatted', "value": "1 Main Street"},
        {"op": "Add", "path": "displayName", "value": "Test User"},
        {"op": "Replace", "path": "active", "value": "False"},
    )
    assert response.status_code == 200
    user = User.objects.get(pk=created["id"])
    assert (user.display_name, user.enabled) == ("Test User", False)


def test_attributes_without_a_path_are_replaced_together(scim: ScimClient) -> None:
    created = provisioned(scim)
    value = {"displayName": "Bjorn", "active": False, f"{ENTERPRISE}:department": "Sales"}
    response = scim.patch(f"/Users/{created['id']}", {"op": "replace", "value": value})
    assert response.status_code == 200
    assert (response.json()["displayName"], response.json()["active"]) == ("Bjorn", False)


def test_another_user_name_is_refused(scim: ScimClient) -> None:
    created = provisioned(scim)
    change = {"op": "Replace", "path": "userName", "value": "other@acme.example"}
    response = scim.patch(f"/Users/{created['id']}", change)
    assert response.status_code == 400
    assert response.json()["scimType"] == "mutability"
    assert User.objects.filter(pk=created["id"], email=created["userName"]).exists()


def test_the_user_name_in_another_case_is_the_same(scim: ScimClient) -> None:
    created = provisioned(scim)
    change = {"op": "Replace", "path": "userName", "value": created["userName"].upper()}
    assert scim.patch(f"/Users/{created['id']}", change).status_code == 200


def test_a_deleted_user_is_gone_and_the_name_is_free(scim: ScimClient) -> None:
    created = provisioned(scim)
    assert scim.delete(f"/Users/{created['id']}").status_code == 204
    missing = scim.get(f"/Users/{created['id']}")
    assert missing.status_code == 404
    assert missing.json()["status"] == "404"
    assert provisioned(scim)["id"] != created["id"]


def test_a_group_is_created_and_found_without_its_members(scim: ScimClient) -> None:
    response = scim.post(
        "/Groups",
        {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "Engineers",
            "meta": {"resourceType": "Group"},
        },
    )
    assert response.status_code == 201
    created = response.json()
    query = {"excludedAttributes": "members", "filter": 'displayName eq "engineers"'}
    (found,) = scim.get("/Groups", **query).json()["Resources"]
    assert found["id"] == created["id"]
    assert found["externalId"] == "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"
    assert "members" not in found


def test_members_are_added_and_removed(scim: ScimClient) -> None:
    rosa, omar = factories.person("rosa@acme.example"), factories.person("omar@acme.example")
    group = factories.group("engineers")
    path = f"/Groups/{group.pk}"
    both = [{"$ref": None, "value": str(rosa.pk)}, {"$ref": None, "value": str(omar.pk)}]
    assert scim.patch(path, {"op": "Add", "path": "members", "value": both}).status_code == 204
    assert members_of(group) == {rosa.email, omar.email}
    one = [{"$ref": None, "value": str(rosa.pk)}]
    assert scim.patch(path, {"op": "Remove", "path": "members", "value": one}).status_code == 204
    assert members_of(group) == {omar.email}
    omar_only = f'members[value eq "{omar.pk}"]'
    assert scim.patch(path, {"op": "remove", "path": omar_only}).status_code == 204
    assert members_of(group) == set()


def test_a_membership_is_found_by_group_and_member(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    group = factories.group("engineers", rosa)
    query = f'id eq "{group.pk}" and members eq "{rosa.pk}"'
    assert scim.get("/Groups", filter=query).json()["totalResults"] == 1
    query = f'id eq "{group.pk}" and members eq "{factories.UNKNOWN_ID}"'
    assert scim.get("/Groups", filter=query).json()["totalResults"] == 0


def test_a_group_is_renamed_and_keeps_its_rules(scim: ScimClient) -> None:
    group = factories.group("engineers")
    rule = factories.rule(group, "Viewer", factories.account())
    change = {"op": "Replace", "path": "displayName", "value": "1879db59-3bdf-4490-ad68"}
    assert scim.patch(f"/Groups/{group.pk}", change).status_code == 204
    assert scim.get(f"/Groups/{group.pk}").json()["displayName"] == change["value"]
    rule.refresh_from_db()
    assert rule.subject_name == change["value"]


def test_a_deleted_group_is_gone_and_the_name_is_free(scim: ScimClient) -> None:
    group = factories.group("engineers")
    assert scim.delete(f"/Groups/{group.pk}").status_code == 204
    assert scim.get(f"/Groups/{group.pk}").status_code == 404
    body = {"schemas": [GROUP], "displayName": "engineers"}
    assert scim.post("/Groups", body).status_code == 201
