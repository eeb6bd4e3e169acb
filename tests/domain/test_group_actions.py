"""Groups: members get a group's permissions, so adding one requires the same permissions."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError

from accessrules.actions import groups as group_actions
from accessrules.actions.rules import create_access_rule
from accessrules.actions.subjects import retire_subjects
from accessrules.authorization.authority import allowed
from accessrules.authorization.callers import SYSTEM
from accessrules.models import AccessRule, GroupMembership, Subject
from applications.actions.secrets import regenerate_secret
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together


@pytest.fixture
def gwen(acme: Organization) -> User:
    """Gwen has all permissions on groups and applications, and no others."""
    gwen = factories.person("gwen@acme.example")
    AccessRule.objects.create(
        subject=gwen.subject,
        role=factories.custom_role("Group keeper", groups="crud", apps="crud"),
        scope=acme["account"],
        created_by="test",
    )
    return gwen


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("pk")


def test_a_new_group_is_empty_and_audited(gwen: User) -> None:
    group = group_actions.create_group(caller=factories.caller(gwen), name="  night shift ")
    assert (group.name, group.type) == ("night shift", Subject.Type.GROUP)
    assert not group.memberships.exists()
    event = last_event()
    assert (event.action, event.entity_type, event.entity_name) == ("create", "group", group.name)


def test_group_names_are_unique(gwen: User) -> None:
    group_actions.create_group(caller=factories.caller(gwen), name="ops")
    with pytest.raises(Conflict, match="ops is taken"):
        group_actions.create_group(caller=factories.caller(gwen), name="ops")


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "a\x00b", "line\nbreak", "\ud800"])
def test_group_names_must_be_printable(gwen: User, name: str) -> None:
    with pytest.raises(ValidationError):
        group_actions.create_group(caller=factories.caller(gwen), name=name)


def test_a_member_has_the_rules_of_the_group_until_removed(acme: Organization) -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    ci = factories.application("ci")
    group = factories.group("ops")
    factories.rule(group, "Viewer", acme["vision"])
    group_actions.add_member(caller=sam, group=group, member=ci.subject)
    assert allowed(ci.subject, "read", "workspaces", acme["vision"])
    assert last_event().changes == {"members": [None, "ci"]}
    group_actions.remove_member(caller=sam, group=group, member=ci.subject)
    assert not allowed(ci.subject, "read", "workspaces", acme["vision"])
    assert last_event().changes == {"members": ["ci", None]}


def test_adding_a_member_requires_the_permissions_of_the_group(
    acme: Organization, gwen: User
) -> None:
    group = factories.group("ops")
    factories.rule(group, "Viewer", acme["vision"])
    caller = factories.caller(gwen)
    with pytest.raises(
        Denied, match=r"^ops has .+ in project vision\. To give its access to members"
    ):
        group_actions.add_member(caller=caller, group=group, member=gwen.subject)
    assert not GroupMembership.objects.exists()
    assert not AuditEvent.objects.exists()


def test_permissions_of_a_disabled_group_count(acme: Organization, gwen: User) -> None:
    """Otherwise a member added while it is disabled would gain access when it is enabled."""
    group = factories.group("ops")
    factories.rule(group, "Viewer", acme["vision"])
    Subject.objects.filter(pk=group.pk).update(enabled=False)
    with pytest.raises(Denied, match="ops has"):
        group_actions.add_member(
            caller=factories.caller(gwen), group=group, member=factories.application("ci").subject
        )


def test_permissions_of_members_of_a_disabled_group_count(acme: Organization, gwen: User) -> None:
    """A secret created while the group is disabled works with its permissions once it is enabled."""
    ci = factories.application("ci")
    group = factories.group("ops", ci)
    factories.rule(group, "Viewer", acme["vision"])
    Subject.objects.filter(pk=group.pk).update(enabled=False)
    with pytest.raises(Denied, match="ci has"):
        regenerate_secret(caller=factories.caller(gwen), application_id=ci.pk)


def test_permissions_of_a_retired_group_do_not_count(acme: Organization, gwen: User) -> None:
    ci = factories.application("ci")
    group = factories.group("ops", ci)
    factories.rule(group, "Viewer", acme["vision"])
    retire_subjects([group], caller=SYSTEM)
    assert regenerate_secret(caller=factories.caller(gwen), application_id=ci.pk).secret


def test_enabling_a_group_requires_its_permissions(acme: Organization, gwen: User) -> None:
    ci = factories.application("ci")
    group = factories.group("ops", ci)
    factories.rule(group, "Viewer", acme["vision"])
    caller = factories.caller(gwen)
    group_actions.set_group_enabled(caller=caller, group=group, enabled=False)
    assert not allowed(ci.subject, "read", "workspaces", acme["vision"])
    with pytest.raises(Denied, match="ops has"):
        group_actions.set_group_enabled(caller=caller, group=group, enabled=True)
    factories.rule(gwen, "Viewer", acme["research"])
    group_actions.set_group_enabled(caller=factories.caller(gwen), group=group, enabled=True)
    assert allowed(ci.subject, "read", "workspaces", acme["vision"])


def test_deleting_a_group_deletes_its_rules_and_memberships(acme: Organization, gwen: User) -> None:
    ci = factories.application("ci")
    group = factories.group("ops", ci)
    rule = factories.rule(group, "Viewer", acme["vision"])
    group_actions.delete_group(caller=factories.caller(gwen), group=group)
    assert not allowed(ci.subject, "read", "workspaces", acme["vision"])
    rule.refresh_from_db()
    assert rule.deleted_at
    assert not GroupMembership.objects.exists()
    with pytest.raises(NotFound):
        group_actions.delete_group(caller=factories.caller(gwen), group=group)


def test_groups_cannot_nest_and_members_are_unique(gwen: User) -> None:
    group, other = factories.group("ops", gwen), factories.group("dev")
    caller = factories.caller(gwen)
    with pytest.raises(Conflict, match="can't be a member"):
        group_actions.add_member(caller=caller, group=group, member=other)
    with pytest.raises(Conflict, match="is already in ops"):
        group_actions.add_member(caller=caller, group=group, member=gwen.subject)
    with pytest.raises(NotFound, match="is not in dev"):
        group_actions.remove_member(caller=caller, group=other, member=gwen.subject)


def test_only_a_group_has_members(gwen: User) -> None:
    ci, caller = factories.application("ci"), factories.caller(gwen)
    with pytest.raises(ValidationError):
        group_actions.add_member(caller=caller, group=ci.subject, member=gwen.subject)


def test_group_actions_require_permission(acme: Organization) -> None:
    vera = factories.person("vera@acme.example", "Viewer")
    group, caller = factories.group("ops", vera), factories.caller(vera)
    for step in (
        lambda: group_actions.create_group(caller=caller, name="new"),
        lambda: group_actions.delete_group(caller=caller, group=group),
        lambda: group_actions.set_group_enabled(caller=caller, group=group, enabled=False),
        lambda: group_actions.add_member(caller=caller, group=group, member=vera.subject),
        lambda: group_actions.remove_member(caller=caller, group=group, member=vera.subject),
    ):
        with pytest.raises(Denied, match="groups” permission in the account"):
            step()
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rule_created_during_retirement_is_deleted() -> None:
    scope, viewer = factories.account(), factories.role("Viewer")
    for round_ in range(8):
        group = factories.group(f"ops-{round_}")
        together(
            [
                partial(create_access_rule, caller=SYSTEM, subject=group, role=viewer, scope=scope),
                partial(group_actions.delete_group, caller=SYSTEM, group=group),
            ]
        )
        assert not AccessRule.objects.living().filter(subject=group).exists()


def test_a_renamed_group_keeps_its_members_and_rules(gwen: User, acme: Organization) -> None:
    group = factories.group("night shift", gwen)
    rule = factories.rule(group, "Viewer", acme["vision"])
    group_actions.rename_group(caller=factories.caller(gwen), group=group, name=" Day Shift ")
    rule.refresh_from_db()
    assert (rule.subject.name, rule.subject_name) == ("Day Shift", "day shift")
    assert last_event().changes == {"name": ["night shift", "Day Shift"]}
    assert Subject.objects.one_named("day shift") == group


def test_a_group_gets_no_name_that_equals_another(gwen: User) -> None:
    group, caller = factories.group("night shift"), factories.caller(gwen)
    factories.group("Day shift")
    with pytest.raises(Conflict, match="taken: it is equal to Day shift"):
        group_actions.rename_group(caller=caller, group=group, name="DAY SHIFT")
    group_actions.rename_group(caller=caller, group=group, name="Night Shift")
    group.refresh_from_db()
    assert group.name == "Night Shift"


def test_parallel_renames_leave_one_group_with_the_name(transactional_db: None) -> None:
    groups = [factories.group("night"), factories.group("day")]
    outcomes = together(
        [
            partial(group_actions.rename_group, caller=SYSTEM, group=group, name="shift")
            for group in groups
        ]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    assert Subject.objects.filter(name="shift").count() == 1


def test_many_members_change_together_with_an_audit_row_each(gwen: User) -> None:
    old, kept, new = (factories.person(f"{name}@acme.example") for name in ("old", "kept", "new"))
    group = factories.group("night shift", old, kept)
    for _ in range(2):  # the second time changes nothing
        group_actions.change_members(
            caller=factories.caller(gwen),
            group=group,
            added=[kept.subject, new.subject],
            removed=[old.subject],
        )
    members = GroupMembership.objects.filter(group=group).values_list("member", flat=True)
    assert set(members) == {kept.pk, new.pk}
    changes = AuditEvent.objects.order_by("pk").values_list("changes", flat=True)
    assert list(changes) == [{"members": [None, new.email]}, {"members": [old.email, None]}]


def test_many_members_require_every_permission_of_the_group(gwen: User, acme: Organization) -> None:
    old, new = factories.person("old@acme.example"), factories.person("new@acme.example")
    group = factories.group("night shift", old)
    factories.rule(group, "Viewer", acme["vision"])
    caller = factories.caller(gwen)
    with pytest.raises(Denied, match="you need the same"):
        group_actions.change_members(
            caller=caller, group=group, added=[new.subject], removed=[old.subject]
        )
    assert GroupMembership.objects.filter(group=group, member=old.subject).exists()
    group_actions.change_members(caller=caller, group=group, removed=[old.subject])
    assert not GroupMembership.objects.filter(group=group).exists()
    with pytest.raises(Conflict, match="can't be a member"):
        group_actions.change_members(
            caller=SYSTEM, group=group, added=[factories.group("day shift")]
        )
