"""Requests as Okta documents and sends them.

Source: Okta's guide "Build a SCIM provisioning integration" and its reference of SCIM 2.0 requests.
"""

from typing import Any

import pytest

from accessrules.models import GroupMembership
from runai_access.accounts.models import User
from tests import factories
from tests.scim.conftest import GROUP, USER, ScimClient

pytestmark = pytest.mark.django_db
NEW_USER = {
    "schemas": [USER],
    "userName": "test.user@acme.example",
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"primary": True, "value": "test.user@acme.example", "type": "work"}],
    "displayName": "Test User",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def provisioned(scim: ScimClient) -> Any:
    response = scim.post("/Users", NEW_USER)
    assert response.status_code == 201, response.json()
    return response.json()


def test_a_user_is_created_without_the_password_that_is_sent(scim: ScimClient) -> None:
    created = provisioned(scim)
    user = User.objects.get(pk=created["id"])
    assert user.display_name == "Test User"
    assert not user.has_usable_password()
    assert "password" not in created


def test_an_existing_user_is_a_conflict(scim: ScimClient) -> None:
    provisioned(scim)
    again = scim.post("/Users", NEW_USER)
    assert again.status_code == 409
    assert again.json()["scimType"] == "uniqueness"
    assert again.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_the_pages_of_an_import_contain_each_user_once(scim: ScimClient) -> None:
    emails = {factories.person(f"user-{n}@acme.example").email for n in range(5)}
    names, start = [], 1
    while True:
        page = scim.get("/Users", startIndex=start, count=2).json()
        assert page["startIndex"] == start
        assert page["itemsPerPage"] == len(page["Resources"]) <= 2
        names += [user["userName"] for user in page["Resources"]]
        start += 2
        if start > page["totalResults"]:
            break
    assert sorted(names) == sorted(emails)


def test_a_profile_is_updated_by_put(scim: ScimClient) -> None:
    created = provisioned(scim)
    body = {**NEW_USER, "id": created["id"], "displayName": "Another User"}
    body["meta"] = {"resourceType": "User", "location": created["meta"]["location"]}
    response = scim.put(f"/Users/{created['id']}", body)
    assert response.status_code == 200
    assert response.json()["displayName"] == "Another User"


def test_a_put_without_an_attribute_leaves_it_as_it_is(scim: ScimClient) -> None:
    created = provisioned(scim)
    path = f"/Users/{created['id']}"
    scim.patch(path, {"op": "replace", "value": {"active": False}})
    response = scim.put(path, {"schemas": [USER], "userName": NEW_USER["userName"]})
    assert response.status_code == 200
    assert response.json()["active"] is False
    assert response.json()["displayName"] == "Test User"
    assert response.json()["externalId"] == NEW_USER["externalId"]


def test_a_user_is_deactivated_and_activated_again(scim: ScimClient) -> None:
    created = provisioned(scim)
    path = f"/Users/{created['id']}"
    assert scim.patch(path, {"op": "replace", "value": {"active": False}}).status_code == 200
    assert not User.objects.get(pk=created["id"]).enabled
    assert scim.patch(path, {"op": "replace", "value": {"active": True}}).status_code == 200
    assert User.objects.get(pk=created["id"]).enabled


def test_a_group_is_pushed_with_members(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    members = [{"value": str(rosa.pk), "display": rosa.email}]
    body = {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": members}
    response = scim.post("/Groups", body)
    assert response.status_code == 201
    (member,) = response.json()["members"]
    assert member["value"] == str(rosa.pk)
    assert member["$ref"].endswith(f"/scim/v2/Users/{rosa.pk}")


def test_a_group_is_renamed_by_a_patch_with_its_id(scim: ScimClient) -> None:
    group = factories.group("Test SCIMv2")
    value = {"id": str(group.pk), "displayName": "Test SCIMv0"}
    assert scim.patch(f"/Groups/{group.pk}", {"op": "replace", "value": value}).status_code == 204
    assert scim.get(f"/Groups/{group.pk}").json()["displayName"] == "Test SCIMv0"


def test_membership_changes_of_one_patch_are_applied_in_order(scim: ScimClient) -> None:
    rosa, omar = factories.person("rosa@acme.example"), factories.person("omar@acme.example")
    group = factories.group("Test SCIMv2", rosa)
    response = scim.patch(
        f"/Groups/{group.pk}?attributes=members",
        {"op": "remove", "path": f'members[value eq "{rosa.pk}"]'},
        {"op": "add", "path": f"{GROUP}:members", "value": [{"value": str(omar.pk)}]},
    )
    assert response.status_code == 200
    assert [member["value"] for member in response.json()["members"]] == [str(omar.pk)]


@pytest.mark.parametrize("method", ["patch", "put"])
def test_replaced_members_leave_applications_in_the_group(scim: ScimClient, method: str) -> None:
    rosa, omar = factories.person("rosa@acme.example"), factories.person("omar@acme.example")
    ci = factories.application("ci")
    group = factories.group("engineers", rosa, ci)
    members = [{"value": str(omar.pk)}]
    if method == "patch":
        change = {"op": "replace", "path": "members", "value": members}
        scim.patch(f"/Groups/{group.pk}", change)
    else:
        body = {"schemas": [GROUP], "displayName": "engineers", "members": members}
        scim.put(f"/Groups/{group.pk}", body)
    shown = scim.get(f"/Groups/{group.pk}").json()["members"]
    assert [member["value"] for member in shown] == [str(omar.pk)]
    kept = GroupMembership.objects.filter(group=group).values_list("member", flat=True)
    assert set(kept) == {omar.pk, ci.pk}


def test_a_put_without_members_keeps_them(scim: ScimClient) -> None:
    group = factories.group("engineers", factories.person("rosa@acme.example"))
    response = scim.put(f"/Groups/{group.pk}", {"schemas": [GROUP], "displayName": "engineers"})
    assert len(response.json()["members"]) == 1


def test_all_members_are_removed_together(scim: ScimClient) -> None:
    members = [factories.person(f"user-{n}@acme.example") for n in range(3)]
    group = factories.group("engineers", *members)
    scim.patch(f"/Groups/{group.pk}", {"op": "remove", "path": "members"})
    assert "members" not in scim.get(f"/Groups/{group.pk}").json()
