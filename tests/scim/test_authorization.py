"""SCIM changes no more than its caller is allowed to, and each change leaves an audit row."""

from typing import Any

import pytest

from accessrules.models import AccessRule, GroupMembership, Subject
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.scim.models import ExternalId
from tests import factories
from tests.scim.conftest import GROUP, USER, ScimClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def provisioner(db: None, secret: str) -> ScimClient:
    """An identity provider with all permissions on users and groups, and no others."""
    factories.application("provisioner", ("Provisioner", factories.account()), secret=secret)
    return ScimClient(secret)


def person_with_more() -> User:
    return factories.person("ada@acme.example", "Department administrator")


def changes() -> list[tuple[Any, ...]]:
    events = AuditEvent.objects.filter(result="Succeeded").exclude(action="sign-in").order_by("pk")
    return list(events.values_list("action", "entity_type", "entity_name", "changes"))


def test_a_member_gets_no_permission_that_the_caller_lacks(provisioner: ScimClient) -> None:
    group = factories.group("administrators")
    factories.rule(group, "System administrator", factories.account())
    rosa = factories.person("rosa@acme.example")
    members = [{"value": str(rosa.pk)}]
    for response in (
        provisioner.patch(
            f"/Groups/{group.pk}", {"op": "add", "path": "members", "value": members}
        ),
        provisioner.put(
            f"/Groups/{group.pk}",
            {"schemas": [GROUP], "displayName": "renamed", "members": members},
        ),
    ):
        assert response.status_code == 403
        assert "you need the same" in response.json()["detail"]
    assert not GroupMembership.objects.exists()
    group.refresh_from_db()
    assert group.name == "administrators"
    assert AuditEvent.objects.filter(result="Failed", subject_name="provisioner").exists()


def test_members_who_stay_require_no_permission(provisioner: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    group = factories.group("administrators", rosa)
    factories.rule(group, "System administrator", factories.account())
    body = {"schemas": [GROUP], "displayName": "admins", "members": [{"value": str(rosa.pk)}]}
    assert provisioner.put(f"/Groups/{group.pk}", body).status_code == 200
    assert changes() == [
        ("update", "group", "admins", {"name": ["administrators", "admins"]}),
    ]


def test_a_group_without_more_permissions_gets_members(provisioner: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    body = {"schemas": [GROUP], "displayName": "engineers", "members": [{"value": str(rosa.pk)}]}
    assert provisioner.post("/Groups", body).status_code == 201


def test_members_are_removed_whatever_the_group_holds(provisioner: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    group = factories.group("administrators", rosa)
    factories.rule(group, "System administrator", factories.account())
    change = {"op": "remove", "path": f'members[value eq "{rosa.pk}"]'}
    assert provisioner.patch(f"/Groups/{group.pk}", change).status_code == 204
    assert not GroupMembership.objects.exists()


def test_a_user_with_more_permissions_can_be_disabled_but_not_enabled(
    provisioner: ScimClient,
) -> None:
    path = f"/Users/{person_with_more().pk}"
    for active, status in ((False, 200), (True, 403)):
        change = {"op": "replace", "path": "active", "value": active}
        assert provisioner.patch(path, change).status_code == status
    assert provisioner.get(path).json()["active"] is False


def test_a_user_with_more_permissions_cannot_be_deleted(provisioner: ScimClient) -> None:
    ada = person_with_more()
    assert provisioner.delete(f"/Users/{ada.pk}").status_code == 403
    assert User.objects.filter(pk=ada.pk).exists()


def test_the_last_administrator_cannot_be_disabled(scim: ScimClient) -> None:
    ada = factories.person("ada@acme.example", "System administrator")
    change = {"op": "replace", "path": "active", "value": False}
    response = scim.patch(f"/Users/{ada.pk}", change)
    assert response.status_code == 409
    assert "scimType" not in response.json()
    assert scim.get(f"/Users/{ada.pk}").json()["active"] is True


def test_a_permission_in_a_narrower_scope_is_not_enough(secret: str) -> None:
    cluster = factories.cluster("east")
    factories.application("narrow", ("System administrator", cluster), secret=secret)
    assert ScimClient(secret).get("/Users").status_code == 403


def test_the_groups_of_a_user_require_a_permission_on_groups(secret: str) -> None:
    rosa = factories.person("rosa@acme.example")
    group = factories.group("engineers", rosa)
    role = factories.custom_role("Reader of users", users="r")
    factories.application("reader", (role.name, factories.account()), secret=secret)
    path, search = f"/Users/{rosa.pk}", f'/Users?filter=groups eq "{group.pk}"'
    assert "groups" not in ScimClient(secret).get(path).json()
    assert ScimClient(secret).get(search).status_code == 400
    role.permissions = {"users": "r", "groups": "r"}
    role.save()
    (shown,) = ScimClient(secret).get(path).json()["groups"]
    assert (shown["value"], shown["display"]) == (str(group.pk), "engineers")
    assert ScimClient(secret).get(search).json()["totalResults"] == 1


def test_a_refused_part_of_a_request_undoes_the_others(provisioner: ScimClient) -> None:
    ada = person_with_more()
    Subject.objects.filter(pk=ada.pk).update(enabled=False)
    value = {"displayName": "New", "externalId": "00u1", "active": True}
    response = provisioner.patch(f"/Users/{ada.pk}", {"op": "replace", "value": value})
    assert response.status_code == 403
    ada.refresh_from_db()
    assert ada.display_name == ""
    assert not ExternalId.objects.exists()
    assert changes() == []


def test_each_change_of_a_user_is_audited(scim: ScimClient) -> None:
    body = {"schemas": [USER], "userName": "rosa@acme.example", "externalId": "1", "active": False}
    id_ = scim.post("/Users", body).json()["id"]
    scim.patch(f"/Users/{id_}", {"op": "replace", "path": "displayName", "value": "Rosa"})
    scim.delete(f"/Users/{id_}")
    rosa = ("user", "rosa@acme.example")
    assert changes() == [
        ("create", *rosa, {"email": [None, "rosa@acme.example"]}),
        ("update", *rosa, {"externalId": [None, "1"]}),
        ("update", *rosa, {"enabled": [True, False]}),
        ("update", *rosa, {"displayName": ["", "Rosa"]}),
        ("delete", *rosa, {"email": ["rosa@acme.example", None]}),
    ]
    assert set(AuditEvent.objects.values_list("subject_name", flat=True)) == {"okta"}


def test_each_change_of_a_group_is_audited(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example")
    members = [{"value": str(rosa.pk)}]
    body = {"schemas": [GROUP], "displayName": "devs", "members": members}
    id_ = scim.post("/Groups", body).json()["id"]
    scim.put(f"/Groups/{id_}", {"schemas": [GROUP], "displayName": "devs", "members": members})
    scim.put(f"/Groups/{id_}", {"schemas": [GROUP], "displayName": "ops", "members": []})
    scim.delete(f"/Groups/{id_}")
    assert changes() == [
        ("create", "group", "devs", {"name": [None, "devs"]}),
        ("update", "group", "devs", {"members": [None, rosa.email]}),
        ("update", "group", "ops", {"name": ["devs", "ops"]}),
        ("update", "group", "ops", {"members": [rosa.email, None]}),
        ("delete", "group", "ops", {"name": ["ops", None]}),
    ]


def test_a_deleted_user_leaves_no_rule_and_no_membership(scim: ScimClient) -> None:
    rosa = factories.person("rosa@acme.example", "Viewer")
    factories.group("engineers", rosa)
    scim.delete(f"/Users/{rosa.pk}")
    assert not GroupMembership.objects.exists()
    assert not AccessRule.objects.living().filter(subject=rosa.subject).exists()
