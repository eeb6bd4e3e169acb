"""Scope actions: access changes immediately, and callers can't escalate their privileges."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError

from accessrules.actions import scopes as scope_actions
from accessrules.actions.rules import create_access_rule, delete_access_rule
from accessrules.authorization.authority import allowed
from accessrules.authorization.callers import SYSTEM
from accessrules.models import AccessRule, Scope
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together


def can_see(holder: User, scope: Scope) -> bool:
    return allowed(holder.subject, "read", "workspaces", Scope.objects.get(pk=scope.pk))


def hold(holder: User, scope: Scope, **permissions: str) -> None:
    AccessRule.objects.create(
        subject=holder.subject,
        role=factories.custom_role(f"{holder} in {scope}", **permissions),
        scope=scope,
        created_by="test",
    )


def test_rules_above_apply_to_a_new_scope_immediately(acme: Organization) -> None:
    vera = factories.person("vera@acme.example", "Viewer", acme["alpha"])
    created = scope_actions.create_scope(caller=SYSTEM, parent=acme["research"], name="audio")
    assert (created.type, created.parent) == (Scope.Type.PROJECT, acme["research"])
    assert can_see(vera, created)
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.entity_name) == ("create", "project audio")


def test_creating_requires_create_for_the_type_in_the_parent(acme: Organization) -> None:
    pam = factories.person("pam@acme.example")
    hold(pam, acme["research"], project="c")
    caller = factories.caller(pam)
    assert scope_actions.create_scope(caller=caller, parent=acme["research"], name="audio").pk
    with pytest.raises(Denied, match="“Create projects” permission in department sales"):
        scope_actions.create_scope(caller=caller, parent=acme["sales"], name="audio")
    with pytest.raises(Denied, match="“Create departments” permission in cluster alpha"):
        scope_actions.create_scope(caller=caller, parent=acme["alpha"], name="audio")


def test_projects_have_no_children_and_sibling_names_are_unique(acme: Organization) -> None:
    with pytest.raises(Conflict, match="The project vision can't have child scopes"):
        scope_actions.create_scope(caller=SYSTEM, parent=acme["vision"], name="deeper")
    with pytest.raises(Conflict, match="The name vision is taken in department research"):
        scope_actions.create_scope(caller=SYSTEM, parent=acme["research"], name="vision")
    with pytest.raises(ValidationError):
        scope_actions.create_scope(caller=SYSTEM, parent=acme["research"], name=" ")
    with pytest.raises(Conflict, match="The name speech is taken"):
        scope_actions.rename_scope(caller=SYSTEM, scope=acme["vision"], name="speech")


def test_renaming_requires_update_and_changes_only_the_name(acme: Organization) -> None:
    pam = factories.person("pam@acme.example", "Viewer", acme["vision"])
    with pytest.raises(Denied, match="“Edit projects” permission in project vision"):
        scope_actions.rename_scope(caller=factories.caller(pam), scope=acme["vision"], name="sight")
    hold(pam, acme["vision"], project="u")
    caller = factories.caller(pam)
    renamed = scope_actions.rename_scope(caller=caller, scope=acme["vision"], name="sight")
    renamed.refresh_from_db()
    assert (renamed.name, renamed.path) == ("sight", acme["vision"].path)
    assert AuditEvent.objects.latest("pk").changes == {"name": ["vision", "sight"]}


def test_descendants_move_with_a_scope(acme: Organization) -> None:
    here = factories.person("here@acme.example", "Viewer", acme["alpha"])
    there = factories.person("there@acme.example", "Viewer", acme["beta"])
    inside = factories.person("inside@acme.example", "Viewer", acme["vision"])
    scope_actions.move_scope(caller=SYSTEM, scope=acme["research"], target=acme["beta"])
    for name in ("research", "vision", "speech"):
        assert not can_see(here, acme[name])
        assert can_see(there, acme[name])
    assert can_see(here, acme["forecast"])
    assert can_see(inside, acme["vision"])
    assert not can_see(inside, acme["speech"])
    moved = Scope.objects.get(pk=acme["vision"].pk)
    beta = Scope.objects.get(pk=acme["beta"].pk)
    assert moved.ancestor_paths[:3] == [*beta.ancestor_paths, beta.path]
    assert AuditEvent.objects.latest("pk").changes == {"parent": ["cluster alpha", "cluster beta"]}


MOVING = {
    "“Edit projects” permission in department research": ("research", {"access_rules": "d"}),
    "“Delete access rules” permission in department research": ("research", {"project": "u"}),
    "“Create projects” permission in department sales": ("sales", {"access_rules": "c"}),
}


@pytest.mark.parametrize("missing", MOVING)
def test_moving_requires_permissions_at_both_parents(acme: Organization, missing: str) -> None:
    pam = factories.person("pam@acme.example")
    needed = {
        "research": {"project": "u", "access_rules": "d"},
        "sales": {"project": "c", "access_rules": "c"},
    }
    place, kept = MOVING[missing]
    for name, permissions in {**needed, place: kept}.items():
        hold(pam, acme[name], **permissions)
    with pytest.raises(Denied, match=missing):
        scope_actions.move_scope(
            caller=factories.caller(pam), scope=acme["vision"], target=acme["sales"]
        )


def test_moving_requires_every_newly_inherited_grant(acme: Organization) -> None:
    """Otherwise the caller could give a project to the subjects of another department."""
    pam = factories.person("pam@acme.example")
    hold(pam, acme["research"], project="ru", access_rules="d")
    hold(pam, acme["sales"], project="c", access_rules="c")
    factories.person("rosa@acme.example", "L1 researcher", acme["sales"])
    factories.person("acct@acme.example", "System administrator", acme["account"])
    with pytest.raises(Denied, match="To assign L1 researcher in department sales, you need"):
        scope_actions.move_scope(
            caller=factories.caller(pam), scope=acme["vision"], target=acme["sales"]
        )
    factories.rule(pam, "L1 researcher", acme["sales"])
    moved = scope_actions.move_scope(
        caller=factories.caller(pam), scope=acme["vision"], target=acme["sales"]
    )
    assert moved.parent_id == acme["sales"].pk


def test_deleted_rules_are_not_inherited_by_moving(acme: Organization) -> None:
    pam = factories.person("pam@acme.example")
    hold(pam, acme["research"], project="ru", access_rules="d")
    hold(pam, acme["sales"], project="c", access_rules="c")
    deleted = factories.rule(factories.group("ops"), "L1 researcher", acme["sales"])
    delete_access_rule(caller=SYSTEM, rule_id=deleted.pk)
    moved = scope_actions.move_scope(
        caller=factories.caller(pam), scope=acme["vision"], target=acme["sales"]
    )
    assert moved.parent_id == acme["sales"].pk


def test_rules_above_the_new_parent_are_inherited_too(acme: Organization) -> None:
    """Rules of the new cluster apply too, not only those of the new department."""
    pam = factories.person("pam@acme.example")
    hold(pam, acme["research"], project="ru", access_rules="d")
    hold(pam, acme["operations"], project="c", access_rules="c")
    factories.rule(factories.group("ops"), "L1 researcher", acme["beta"])
    caller = factories.caller(pam)
    with pytest.raises(Denied, match="To assign L1 researcher in department operations, you need"):
        scope_actions.move_scope(caller=caller, scope=acme["vision"], target=acme["operations"])
    factories.rule(pam, "L1 researcher", acme["operations"])
    moved = scope_actions.move_scope(
        caller=factories.caller(pam), scope=acme["vision"], target=acme["operations"]
    )
    assert moved.parent_id == acme["operations"].pk


def test_a_scope_moves_only_to_a_valid_parent(acme: Organization) -> None:
    for name, target in [("vision", "alpha"), ("research", "sales"), ("vision", "research")]:
        with pytest.raises(Conflict, match=r"can't be moved to|is already in"):
            scope_actions.move_scope(caller=SYSTEM, scope=acme[name], target=acme[target])
    with pytest.raises(Conflict, match="set in the installation's settings"):
        scope_actions.move_scope(caller=SYSTEM, scope=acme["account"], target=acme["alpha"])


def test_a_scope_with_children_or_rules_is_not_deleted(acme: Organization) -> None:
    with pytest.raises(Conflict, match="has child scopes"):
        scope_actions.delete_scope(caller=SYSTEM, scope=acme["research"])
    vera = factories.person("vera@acme.example", "Viewer", acme["vision"])
    with pytest.raises(Conflict, match="has access rules"):
        scope_actions.delete_scope(caller=SYSTEM, scope=acme["vision"])
    assert can_see(vera, acme["vision"])
    with pytest.raises(Conflict, match="set in the installation's settings"):
        scope_actions.delete_scope(caller=SYSTEM, scope=acme["system"])


def test_deleting_requires_delete_and_is_audited(acme: Organization) -> None:
    vera = factories.person("vera@acme.example", "Viewer", acme["vision"])
    rule = AccessRule.objects.get(subject=vera.subject)
    AccessRule.objects.filter(pk=rule.pk).update(deleted_at=rule.created_at)
    with pytest.raises(Denied, match="“Delete projects” permission in project vision"):
        scope_actions.delete_scope(caller=factories.caller(vera), scope=acme["vision"])
    scope_actions.delete_scope(caller=SYSTEM, scope=acme["vision"])
    assert not Scope.objects.filter(pk=acme["vision"].pk).exists()
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.entity_name) == ("delete", "project vision")
    with pytest.raises(NotFound, match="The project vision no longer exists"):
        create_access_rule(
            caller=SYSTEM,
            subject=vera.subject,
            role=factories.role("Viewer"),
            scope=acme["vision"],
        )


@pytest.mark.django_db(transaction=True)
def test_a_scope_created_during_a_move_has_the_right_path() -> None:
    east, west = factories.cluster("east"), factories.cluster("west")
    for round_ in range(6):
        department = factories.department(f"d{round_}", east)
        outcomes = together(
            [
                partial(scope_actions.move_scope, caller=SYSTEM, scope=department, target=west),
                partial(
                    scope_actions.create_scope, caller=SYSTEM, parent=department, name="inside"
                ),
            ]
        )
        assert all(isinstance(outcome, Scope) for outcome in outcomes), outcomes
        department.refresh_from_db()
        inside = Scope.objects.get(parent=department)
        assert inside.path.startswith(department.path)
        assert department.path.startswith(west.path)
