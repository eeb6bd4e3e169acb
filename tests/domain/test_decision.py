"""Authorization decisions for every role at, above, below and next to a scope."""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.authority import ACCOUNT, allowed, authority_of
from accessrules.authorization.catalog import RESOURCE_TYPES
from accessrules.authorization.grants import ACTIONS
from accessrules.models import AccessRule, GroupMembership, Role, Subject
from tests import factories
from tests.domain.conftest import Organization

# The scopes in which a rule in the scope on the left applies. It applies nowhere else.
COVERS = {
    "system": "system account alpha beta research sales operations vision speech forecast batch",
    "account": "account alpha beta research sales operations vision speech forecast batch",
    "alpha": "alpha research sales vision speech forecast",
    "beta": "beta operations batch",
    "research": "research vision speech",
    "sales": "sales forecast",
    "operations": "operations batch",
    "vision": "vision",
    "speech": "speech",
    "forecast": "forecast",
    "batch": "batch",
}

DATA = Path(settings.BASE_DIR) / "accessrules/data"
PREDEFINED = [
    role
    for name in ("roles.toml", "additional_roles.toml")
    for role in tomllib.loads((DATA / name).read_text(encoding="utf-8"))["roles"]
]


@pytest.mark.parametrize("place", COVERS)
def test_a_rule_applies_in_its_scope_and_below_only(acme: Organization, place: str) -> None:
    rosa = factories.person("rosa@acme.example", "L1 researcher", acme[place])
    holds = {name for name in COVERS if allowed(rosa.subject, "create", "workspaces", acme[name])}
    assert holds == set(COVERS[place].split())


@pytest.mark.parametrize("entry", PREDEFINED, ids=lambda entry: entry["name"])
@pytest.mark.parametrize("place", ["account", "alpha", "research", "vision"])
def test_a_predefined_role_has_exactly_its_listed_permissions(
    acme: Organization, entry: dict[str, Any], place: str
) -> None:
    letters = {t: key for key, types in entry["permissions"].items() for t in types}
    pat = factories.person("pat@acme.example", entry["name"], acme[place])
    if place != "account":
        letters.pop("events-history", None)  # only on the account
    authority = authority_of(pat.subject)
    for name, scope in acme.scopes.items():
        covered = name in COVERS[place].split()
        for resource_type in RESOURCE_TYPES:
            granted = {
                letter
                for letter, action in ACTIONS.items()
                if authority.allows(action, resource_type, scope)
            }
            assert granted == (set(letters.get(resource_type, "")) if covered else set()), (
                name,
                resource_type,
            )


def test_without_a_rule_nothing_is_allowed_anywhere(acme: Organization) -> None:
    nora = factories.person("nora@acme.example")
    authority = authority_of(nora.subject)
    for resource_type in RESOURCE_TYPES:
        for action in ACTIONS.values():
            assert not authority.allows_anywhere(action, resource_type)
            assert not any(authority.allows(action, resource_type, s) for s in acme.scopes.values())


@pytest.mark.parametrize(
    ("action", "resource_type"), [("purge", "apps"), ("read", "unicorns"), ("", ""), ("r", "apps")]
)
def test_unknown_permissions_are_denied_to_everyone(
    db: None, action: str, resource_type: str
) -> None:
    sam = factories.person("sam@acme.example", "System administrator", factories.system())
    assert not allowed(sam.subject, action, resource_type, ACCOUNT)


def test_rules_add_up(acme: Organization) -> None:
    una = factories.person("una@acme.example", "Viewer", acme["beta"])
    factories.rule(una, "L1 researcher", acme["vision"])
    assert allowed(una.subject, "create", "workspaces", acme["vision"])
    assert allowed(una.subject, "read", "workspaces", acme["batch"])
    assert not allowed(una.subject, "create", "workspaces", acme["batch"])
    assert not allowed(una.subject, "read", "workspaces", acme["speech"])


def test_permissions_at_a_scope_include_those_of_its_ancestors(acme: Organization) -> None:
    una = factories.person("una@acme.example")
    for name, permission in {"alpha": "c", "research": "r", "vision": "u", "speech": "d"}.items():
        custom = factories.custom_role(f"Role for {name}", apps=permission)
        AccessRule.objects.create(
            subject=una.subject, role=custom, scope=acme[name], created_by="test"
        )
    authority = authority_of(una.subject)
    assert authority.permissions_at(acme["vision"]) == {
        ("create", "apps"),
        ("read", "apps"),
        ("update", "apps"),
    }
    assert authority.permissions_at(acme["sales"]) == {("create", "apps")}
    assert authority.permissions_at(acme["account"]) == set()


def test_scope_roots_are_the_topmost_scopes(acme: Organization) -> None:
    una = factories.person("una@acme.example", "Viewer", acme["alpha"])
    for name in ("vision", "research", "batch"):
        factories.rule(una, "Viewer", acme[name])
    roots = authority_of(una.subject).scope_roots("read", "workspaces")
    assert set(roots) == {acme["alpha"].path, acme["batch"].path}


def test_a_rule_covers_a_new_scope_immediately(acme: Organization) -> None:
    rosa = factories.person("rosa@acme.example", "L1 researcher", acme["research"])
    robotics = factories.project("robotics", acme["research"])
    assert allowed(rosa.subject, "create", "workspaces", robotics)


def test_a_deleted_rule_no_longer_applies(acme: Organization) -> None:
    rosa = factories.person("rosa@acme.example", "L1 researcher", acme["research"])
    AccessRule.objects.filter(subject=rosa.subject).update(
        deleted_at=timezone.now() + timedelta(seconds=1)
    )
    assert not allowed(rosa.subject, "read", "workspaces", acme["research"])


@pytest.mark.parametrize("kind", ["person", "application"])
def test_a_disabled_subject_has_no_permissions(acme: Organization, kind: str) -> None:
    holder: factories.Holder = (
        factories.person("rosa@acme.example", "System administrator")
        if kind == "person"
        else factories.application("ci-prod", ("System administrator", acme["account"]))
    )
    subject = factories.subject_of(holder)
    assert allowed(subject, "create", "apps", acme["account"])
    subject.enabled = False
    subject.save()
    assert not allowed(subject, "create", "apps", acme["account"])


def test_a_retired_subject_with_leftover_rules_has_no_permissions(
    acme: Organization,
) -> None:
    rosa = factories.person("rosa@acme.example", "System administrator")
    rosa.subject.retired_at = timezone.now()
    assert not allowed(rosa.subject, "read", "apps", acme["account"])


def test_a_member_has_the_rules_of_its_group(acme: Organization) -> None:
    gus = factories.person("gus@acme.example")
    ci = factories.application("ci-prod")
    otto = factories.person("otto@acme.example")
    researchers = factories.group("researchers", gus, ci)
    factories.rule(researchers, "L1 researcher", acme["research"])
    for member in (gus, ci):
        assert allowed(member.subject, "create", "workspaces", acme["vision"])
        assert not allowed(member.subject, "create", "workspaces", acme["forecast"])
    assert not allowed(otto.subject, "create", "workspaces", acme["vision"])


def test_leaving_a_group_revokes_its_rules(acme: Organization) -> None:
    gus = factories.person("gus@acme.example")
    factories.rule(factories.group("researchers", gus), "L1 researcher", acme["research"])
    GroupMembership.objects.filter(member=gus.subject).delete()
    assert not allowed(gus.subject, "create", "workspaces", acme["vision"])


@pytest.mark.parametrize("state", ["disabled", "retired"])
def test_rules_of_a_disabled_or_retired_group_do_not_apply(acme: Organization, state: str) -> None:
    gus = factories.person("gus@acme.example")
    researchers = factories.group("researchers", gus)
    factories.rule(researchers, "L1 researcher", acme["research"])
    researchers.enabled = False
    researchers.retired_at = timezone.now() if state == "retired" else None
    researchers.save()
    assert not allowed(gus.subject, "create", "workspaces", acme["vision"])


def test_a_disabled_member_gets_nothing_from_its_group(acme: Organization) -> None:
    gus = factories.person("gus@acme.example")
    factories.rule(factories.group("researchers", gus), "L1 researcher", acme["research"])
    gus.subject.enabled = False
    gus.subject.save()
    assert not allowed(gus.subject, "create", "workspaces", acme["vision"])


def test_a_group_does_not_get_the_rules_of_its_members(acme: Organization) -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    admins = factories.group("admins", sam)
    assert not allowed(admins, "read", "apps", acme["account"])


@pytest.mark.parametrize("kind", ["person", "application"])
def test_memberships_in_users_and_applications_have_no_effect(
    acme: Organization, kind: str
) -> None:
    """A membership row whose group is a user or an application has no effect."""
    strong: factories.Holder = (
        factories.person("sam@acme.example", "System administrator")
        if kind == "person"
        else factories.application("robot", ("System administrator", acme["account"]))
    )
    gus = factories.person("gus@acme.example")
    GroupMembership.objects.create(group=factories.subject_of(strong), member=gus.subject)
    assert not allowed(gus.subject, "read", "apps", acme["account"])


def test_groups_with_a_common_member_share_no_rules(acme: Organization) -> None:
    """A shared member does not connect two groups."""
    gus, gina = factories.person("gus@acme.example"), factories.person("gina@acme.example")
    factories.rule(factories.group("researchers", gus), "L1 researcher", acme["research"])
    factories.group("readers", gus, gina)
    assert not allowed(gina.subject, "read", "workspaces", acme["vision"])


def test_a_rule_on_system_applies_to_the_account_and_below(acme: Organization) -> None:
    sol = factories.person("sol@acme.example", "System administrator", acme["system"])
    sam = factories.person("sam@acme.example", "System administrator", acme["account"])
    assert allowed(sol.subject, "create", "apps", ACCOUNT)
    assert allowed(sol.subject, "create", "apps", acme["vision"])
    assert not allowed(sam.subject, "create", "apps", acme["system"])


def test_an_authority_costs_one_query(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rosa = factories.person("rosa@acme.example", "Viewer", acme["vision"])
    for rules in (1, 40):
        while rosa.subject.access_rules.count() < rules:
            project = factories.project(f"p{Subject.objects.count()}", acme["sales"])
            everyone = factories.group(f"group-{project.uid}", rosa)
            factories.rule(everyone, "L1 researcher", project)
            factories.rule(rosa, "Viewer", project)
        viewer = Role.objects.get(name="Viewer")
        subject = Subject.objects.get(pk=rosa.pk)
        with django_assert_num_queries(1):
            authority = authority_of(subject)
            for scope in acme.scopes.values():
                authority.allows("read", "workspaces", scope)
                authority.permissions_at(scope)
                authority.can_grant(viewer, scope)


def test_a_disabled_subject_costs_no_query(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rosa = factories.person("rosa@acme.example", "Viewer")
    rosa.subject.enabled = False
    with django_assert_num_queries(0):
        authority_of(rosa.subject).allows("read", "apps", ACCOUNT)
