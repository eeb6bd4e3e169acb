"""Every installation has the predefined roles of the wire contract, with their IDs."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.models import Role
from tests.conftest import skip_for_missing_tool
from tests.servers import ROOT

CONTRACT = ROOT.parent / "shared" / "contract"


@pytest.fixture
def contract() -> Path:
    if not CONTRACT.is_dir():
        skip_for_missing_tool("the wire contract is not next to this checkout")
    return CONTRACT


@pytest.mark.django_db
def test_the_roles_are_those_of_the_contract(contract: Path) -> None:
    expected = {role["id"]: role for role in json.loads((contract / "roles.json").read_text())}
    roles = {role.pk: role for role in Role.objects.filter(created_by="Run:ai")}
    assert roles.keys() == expected.keys()
    for id_, role in roles.items():
        official = expected[id_]
        assert role.name == official["name"]
        assert role.description == official["description"]
        assert role.created_by == official["createdBy"]
        assert role.assignable == official["assignable"]
        granted = {name: set(letters) for name, letters in role.permissions.items()}
        # The contract also lists resource types without permissions.
        assert granted == {
            name: set(letters) for name, letters in official["permissions"].items() if letters
        }


@pytest.mark.django_db
def test_the_auditor_can_view_access_and_the_audit_log(contract: Path) -> None:
    ours = Role.objects.exclude(created_by="Run:ai")
    auditor = ours.get(name="Auditor")
    assert auditor.assignable
    assert auditor.permissions == {
        "tenant": "r",
        "cluster": "r",
        "department": "r",
        "project": "r",
        "apps": "r",
        "access_rules": "r",
        "roles": "r",
        "users": "r",
        "groups": "r",
        "events-history": "r",
    }
    official = [role["id"] for role in json.loads((contract / "roles.json").read_text())]
    assert all(role.pk > 100 * max(official) for role in ours)


@pytest.mark.django_db
def test_the_provisioner_can_do_everything_about_users_and_groups_only() -> None:
    provisioner = Role.objects.get(name="Provisioner")
    assert provisioner.assignable
    assert provisioner.permissions == {"users": "crud", "groups": "crud"}


def test_the_resource_types_are_those_of_the_contract(contract: Path) -> None:
    entries = json.loads((contract / "resource_types.json").read_text())
    expected = {
        entry["resourceType"]: (entry["displayName"], entry["groupId"], entry["since"])
        for entry in entries
    }
    ours = {key: (type_.name, type_.group, type_.since) for key, type_ in RESOURCE_TYPES.items()}
    assert ours == expected


@pytest.mark.django_db
def test_the_next_migrate_restores_a_changed_predefined_role() -> None:
    Role.objects.filter(pk=7).update(name="Something else", permissions={})
    call_command("migrate", verbosity=0)
    role = Role.objects.get(pk=7)
    assert role.name == "Viewer"
    assert role.permissions
