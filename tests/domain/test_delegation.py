"""Delegation: callers can grant only permissions they hold, in the scopes where they hold them."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.authority import authority_of, unlimited_authority
from accessrules.models import AccessRule, Role
from runai_access.errors import Denied
from tests import factories
from tests.domain.conftest import Organization

ASSET_ADMINISTRATORS = {
    "Environment administrator",
    "Data source administrator",
    "Compute resource administrator",
    "Data volume administrator",
    "Template administrator",
    "Department viewer",
}
RESEARCHERS = {"L1 researcher", "L2 researcher", "Viewer", "Credentials administrator"}

# The roles that the holder of the role on the left can grant in its scope.
# Holders of other roles can't grant any.
GRANTS = {
    "System administrator": {
        "System administrator",
        "Department administrator",
        "Editor",
        "Research manager",
        "ML engineer",
        "Application administrator",
        "Cloud operator",
        "Cloud support",
        "Auditor",
        "Provisioner",
        *RESEARCHERS,
        *ASSET_ADMINISTRATORS,
    },
    "Application administrator": {
        "Application administrator",
        "Department administrator",
        "Editor",
        "Research manager",
        "ML engineer",
        "Auditor",
        *RESEARCHERS,
        *ASSET_ADMINISTRATORS,
    },
    "Department administrator": {
        "Department administrator",
        "Research manager",
        "ML engineer",
        *RESEARCHERS,
        *ASSET_ADMINISTRATORS,
    },
    "Editor": {"Editor", "Research manager", *RESEARCHERS, *ASSET_ADMINISTRATORS},
    "Research manager": {"Research manager", *ASSET_ADMINISTRATORS},
}

# They have all permissions of an Auditor except the audit log, which requires a rule on the account.
GRANT_AUDITOR_BELOW_THE_ACCOUNT = ("Department administrator", "Editor")

INSIDE = {
    "account": {"account", "alpha", "beta", "research", "sales", "operations"}
    | {"vision", "speech", "forecast", "batch"},
    "alpha": {"alpha", "research", "sales", "vision", "speech", "forecast"},
    "research": {"research", "vision", "speech"},
    "vision": {"vision"},
}


@pytest.mark.parametrize("place", INSIDE)
def test_predefined_roles_grant_what_they_hold_in_their_scope(
    acme: Organization, place: str
) -> None:
    roles = list(Role.objects.all())
    assert len(roles) == 20
    for number, held in enumerate(roles):
        holder = factories.person(f"holder-{number}@acme.example", held.name, acme[place])
        authority = authority_of(holder.subject)
        for name, scope in acme.scopes.items():
            granted = {role.name for role in roles if authority.can_grant(role, scope)}
            expected = GRANTS.get(held.name, set()) if name in INSIDE[place] else set()
            if expected and name != "account" and held.name in GRANT_AUDITOR_BELOW_THE_ACCOUNT:
                expected = expected | {"Auditor"}
            assert granted == expected, (held.name, name)


def test_a_department_administrator_grants_the_documented_roles(
    acme: Organization,
) -> None:
    """contract/README.md, Delegation."""
    dana = factories.person("dana@acme.example", "Department administrator", acme["research"])
    authority = authority_of(dana.subject)
    for name in ("L1 researcher", "L2 researcher", "ML engineer", "Research manager", "Viewer"):
        for place in ("research", "vision", "speech"):
            assert authority.can_grant(factories.role(name), acme[place])
        for place in ("account", "alpha", "sales", "forecast", "beta"):
            assert not authority.can_grant(factories.role(name), acme[place])
    for scope in acme.scopes.values():
        assert not authority.can_grant(factories.role("System administrator"), scope)


def test_granting_requires_creating_access_rules(acme: Organization) -> None:
    vera = factories.person("vera@acme.example", "Viewer", acme["account"])
    with pytest.raises(Denied, match="you need the “Create access rules” permission there"):
        authority_of(vera.subject).require_can_grant(factories.role("Viewer"), acme["vision"])


def test_permissions_of_two_rules_add_up_to_a_grant(acme: Organization) -> None:
    """Creates rules in a department and holds the role in one of its projects: can grant it there."""
    rene = factories.person("rene@acme.example")
    granter = factories.custom_role("Granter", access_rules="c")
    AccessRule.objects.create(
        subject=rene.subject, role=granter, scope=acme["research"], created_by="test"
    )
    factories.rule(rene, "ML engineer", acme["vision"])
    authority = authority_of(rene.subject)
    engineer = factories.role("ML engineer")
    assert authority.can_grant(engineer, acme["vision"])
    assert not authority.can_grant(engineer, acme["speech"])
    assert not authority.can_grant(engineer, acme["research"])


def test_creating_rules_in_another_scope_grants_nothing_here(acme: Organization) -> None:
    rene = factories.person("rene@acme.example", "ML engineer", acme["vision"])
    granter = factories.custom_role("Granter", access_rules="c")
    AccessRule.objects.create(
        subject=rene.subject, role=granter, scope=acme["sales"], created_by="test"
    )
    engineer = factories.role("ML engineer")
    with pytest.raises(Denied, match="you need the “Create access rules” permission there"):
        authority_of(rene.subject).require_can_grant(engineer, acme["vision"])


def test_a_refusal_names_the_missing_permission_and_scope(acme: Organization) -> None:
    dana = factories.person("dana@acme.example", "Department administrator", acme["research"])
    reader = factories.custom_role("Applications editor", apps="ru")
    with pytest.raises(Denied) as refused:
        authority_of(dana.subject).require_can_grant(reader, acme["vision"])
    assert str(refused.value) == (
        "To assign Applications editor in project vision, you need the “Edit applications” "
        "permission there. Ask someone who manages access rules."
    )


def test_a_refusal_names_three_permissions_and_counts_the_rest(acme: Organization) -> None:
    vera = factories.person("vera@acme.example", "Viewer", acme["vision"])
    with pytest.raises(
        Denied, match=r"the permissions “Create .+”, “Create .+”, “Create .+” and \d+ more"
    ):
        authority_of(vera.subject).require_can_grant(
            factories.role("System administrator"), acme["vision"]
        )


def test_granting_on_system_requires_a_rule_on_system(acme: Organization) -> None:
    sam = factories.person("sam@acme.example", "System administrator", acme["account"])
    sol = factories.person("sol@acme.example", "System administrator", acme["system"])
    viewer = factories.role("Viewer")
    assert not authority_of(sam.subject).can_grant(viewer, acme["system"])
    assert authority_of(sol.subject).can_grant(viewer, acme["system"])


def test_selectable_roles_can_be_granted_in_some_scope(acme: Organization) -> None:
    dana = factories.person("dana@acme.example", "Department administrator", acme["research"])
    selectable = {role.name for role in authority_of(dana.subject).grantable_roles()}
    assert selectable == GRANTS["Department administrator"] | {"Auditor"}


@pytest.mark.parametrize("place", ["system", "account", "alpha", "research", "vision"])
def test_selectable_roles_are_exactly_the_grantable_ones(acme: Organization, place: str) -> None:
    assignable = [role for role in Role.objects.all() if role.assignable]
    for number, held in enumerate(Role.objects.all()):
        holder = factories.person(f"holder-{number}@acme.example", held.name, acme[place])
        authority = authority_of(holder.subject)
        somewhere = {
            role.name
            for role in assignable
            if any(authority.can_grant(role, scope) for scope in acme.scopes.values())
        }
        assert {role.name for role in authority.grantable_roles()} == somewhere, held.name


def test_roles_that_are_not_assignable_are_not_selectable(acme: Organization) -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    selectable = {role.name for role in authority_of(sam.subject).grantable_roles()}
    assert selectable == GRANTS["System administrator"] - {
        "Application administrator",
        "Cloud operator",
        "Cloud support",
    }


def test_a_role_held_in_a_child_scope_is_selectable(
    acme: Organization,
) -> None:
    rene = factories.person("rene@acme.example")
    granter = factories.custom_role("Granter", access_rules="c")
    AccessRule.objects.create(
        subject=rene.subject, role=granter, scope=acme["research"], created_by="test"
    )
    factories.rule(rene, "ML engineer", acme["vision"])
    selectable = {role.name for role in authority_of(rene.subject).grantable_roles()}
    assert "ML engineer" in selectable
    assert "L1 researcher" not in selectable


def test_selectable_roles_cost_one_query(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    dana = factories.person("dana@acme.example", "Department administrator", acme["research"])
    for name in ("sales", "operations", "batch"):
        factories.rule(dana, "Editor", acme[name])
    authority = authority_of(dana.subject)
    with django_assert_num_queries(1):
        authority.grantable_roles()


@pytest.mark.parametrize(
    ("place", "selectable"),
    [
        ("research", {"research", "vision", "speech"}),
        ("beta", {"beta", "operations", "batch"}),
        ("system", set(INSIDE["account"])),
    ],
)
def test_selectable_scopes_are_at_or_below_the_rule_but_not_system(
    acme: Organization, place: str, selectable: set[str]
) -> None:
    edda = factories.person("edda@acme.example", "Editor", acme[place])
    scopes = authority_of(edda.subject).grantable_scopes()
    names = {"account" if scope.type == "tenant" else scope.name for scope in scopes}
    assert names == selectable


def test_commands_can_grant_everything(acme: Organization) -> None:
    authority = unlimited_authority()
    for role in Role.objects.all():
        assert all(authority.can_grant(role, scope) for scope in acme.scopes.values())
