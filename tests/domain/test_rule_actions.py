"""Creating and deleting access rules: effects, audit events, and the last administrator."""

import uuid
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accessrules.actions.rules import create_access_rule, delete_access_rule
from accessrules.actions.subjects import find_subject, retire_subjects, set_subject_enabled
from accessrules.authorization.authority import allowed
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.models import AccessRule, Scope, Subject
from applications.actions.deletion import delete_application
from runai_access.accounts.models import User
from runai_access.audit import recorder
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together


@pytest.fixture
def dana(acme: Organization) -> Caller:
    """Dana, Department administrator of research."""
    person = factories.person("dana@acme.example", "Department administrator", acme["research"])
    origin = Origin("192.0.2.9", uuid.uuid4(), "POST", "/api/v1/authorization/access-rules")
    return Caller(Subject.objects.get(pk=person.pk), origin)


def _grant(caller: Caller, holder: factories.Holder, role: str, scope: Scope) -> AccessRule:
    return create_access_rule(
        caller=caller,
        subject=factories.subject_of(holder),
        role=factories.role(role),
        scope=scope,
    )


# Creating.


@pytest.mark.parametrize("kind", ["person", "application", "group"])
def test_a_new_rule_applies_immediately(acme: Organization, dana: Caller, kind: str) -> None:
    make: dict[str, Callable[[], factories.Holder]] = {
        "person": lambda: factories.person("rosa@acme.example"),
        "application": lambda: factories.application("ci-prod"),
        "group": lambda: factories.group("researchers"),
    }
    holder = factories.subject_of(make[kind]())
    rule = _grant(dana, holder, "L1 researcher", acme["vision"])
    assert allowed(holder, "create", "workspaces", acme["vision"])
    stored = AccessRule.objects.get(pk=rule.pk)
    assert (stored.subject, stored.role.name, stored.scope) == (
        holder,
        "L1 researcher",
        acme["vision"],
    )
    assert stored.created_by == "dana@acme.example"
    assert stored.deleted_at is None


def test_a_new_rule_is_audited_with_actor_and_changes(acme: Organization, dana: Caller) -> None:
    rule = _grant(dana, factories.application("ci-prod"), "L1 researcher", acme["vision"])
    event = AuditEvent.objects.get()
    assert (event.subject_type, event.subject_name, event.source_ip) == (
        "user",
        "dana@acme.example",
        "192.0.2.9",
    )
    assert (event.action, event.result) == ("create", "Succeeded")
    assert (event.entity_type, event.entity_id, event.entity_name) == (
        "access_rule",
        str(rule.pk),
        "ci-prod is L1 researcher in project vision",
    )
    assert event.changes == {
        "subject": [None, "ci-prod"],
        "role": [None, "L1 researcher"],
        "scope": [None, "project vision"],
    }


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("System administrator", "vision"),
        ("Editor", "vision"),
        ("L1 researcher", "sales"),
        ("L1 researcher", "alpha"),
        ("L1 researcher", "account"),
        ("L1 researcher", "system"),
    ],
)
@pytest.mark.parametrize("to", ["another", "self"])
def test_a_rule_the_caller_cannot_grant_is_denied(
    acme: Organization, dana: Caller, role: str, place: str, to: str
) -> None:
    before = AccessRule.objects.count()
    holder = factories.application("ci-prod").subject if to == "another" else dana.subject
    assert holder
    with pytest.raises(Denied, match=f"^To assign {role} in "):
        _grant(dana, holder, role, acme[place])
    assert AccessRule.objects.count() == before
    assert not AuditEvent.objects.exists()


def test_the_same_rule_twice_is_a_conflict(acme: Organization, dana: Caller) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    with pytest.raises(
        Conflict, match="ci-prod already has the role L1 researcher in project vision"
    ):
        _grant(dana, ci, "L1 researcher", acme["vision"])
    assert AccessRule.objects.filter(subject=ci.subject).count() == 1
    assert not AuditEvent.objects.exists()


def test_a_deleted_rule_can_be_created_again(acme: Organization, dana: Caller) -> None:
    ci = factories.application("ci-prod")
    first = _grant(dana, ci, "L1 researcher", acme["vision"])
    delete_access_rule(caller=dana, rule_id=first.pk)
    second = _grant(dana, ci, "L1 researcher", acme["vision"])
    assert second.pk != first.pk
    assert allowed(ci.subject, "create", "workspaces", acme["vision"])


def test_a_retired_subject_gets_no_rules(acme: Organization, dana: Caller) -> None:
    subject = factories.application("ci-prod").subject
    Subject.objects.filter(pk=subject.pk).update(enabled=False, retired_at=timezone.now())
    with pytest.raises(NotFound):
        _grant(dana, subject, "L1 researcher", acme["vision"])


def test_a_disabled_caller_cannot_grant(acme: Organization, dana: Caller) -> None:
    assert dana.subject
    Subject.objects.filter(pk=dana.subject.pk).update(enabled=False)
    with pytest.raises(Denied):
        _grant(
            factories.caller(dana.subject),
            factories.application("ci-prod"),
            "Viewer",
            acme["vision"],
        )


# Finding subjects.


def test_a_subject_is_found_by_name_or_else_by_id(db: None) -> None:
    rosa = factories.person("rosa@acme.example")
    group = factories.group(str(rosa.pk))
    namesake = factories.group("named")
    twin = Subject.objects.create(type="group", name=str(namesake.pk))
    assert find_subject("user", "rosa@acme.example") == rosa.subject
    assert find_subject("user", str(rosa.pk)) == rosa.subject
    assert find_subject("group", str(rosa.pk)) == group
    assert find_subject("group", str(namesake.pk)) == twin


@pytest.mark.parametrize("name", ["", "nobody", factories.UNKNOWN_ID, "urn:uuid"])
def test_an_unknown_subject_is_not_found(db: None, name: str) -> None:
    factories.person("rosa@acme.example")
    with pytest.raises(NotFound):
        find_subject("user", name)


def test_subjects_of_another_type_or_retired_are_not_found(db: None) -> None:
    ci = factories.application("ci-prod").subject
    for name in ("ci-prod", str(ci.pk)):
        with pytest.raises(NotFound):
            find_subject("user", name)
    Subject.objects.filter(pk=ci.pk).update(enabled=False, retired_at=timezone.now())
    for name in ("ci-prod", str(ci.pk)):
        with pytest.raises(NotFound):
            find_subject("app", name)


@pytest.mark.parametrize("name", ["ci\x00prod", "\ud800"])
def test_a_name_that_cannot_be_stored_is_not_found(db: None, name: str) -> None:
    with pytest.raises(NotFound):
        find_subject("app", name)


# Deleting.


def test_a_deleted_rule_ends_immediately_and_is_audited(acme: Organization, dana: Caller) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    rule = AccessRule.objects.get(subject=ci.subject)
    delete_access_rule(caller=dana, rule_id=rule.pk)
    assert not allowed(ci.subject, "create", "workspaces", acme["vision"])
    rule.refresh_from_db()
    assert rule.deleted_at
    assert rule.updated_at == rule.deleted_at
    event = AuditEvent.objects.get()
    assert (event.action, event.entity_id, event.subject_name) == (
        "delete",
        str(rule.pk),
        "dana@acme.example",
    )
    assert event.changes == {
        "subject": ["ci-prod", None],
        "role": ["L1 researcher", None],
        "scope": ["project vision", None],
    }


def test_a_rule_is_deleted_once(acme: Organization, dana: Caller) -> None:
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    rule = AccessRule.objects.get(subject=ci.subject)
    delete_access_rule(caller=dana, rule_id=rule.pk)
    with pytest.raises(NotFound):
        delete_access_rule(caller=dana, rule_id=rule.pk)
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("rule_id", [0, -1, 2**31, 2**63, 2**70])
def test_an_unknown_rule_is_not_found(dana: Caller, rule_id: int) -> None:
    with pytest.raises(NotFound):
        delete_access_rule(caller=dana, rule_id=rule_id)


def test_a_rule_is_not_deleted_through_another_subject(acme: Organization, dana: Caller) -> None:
    """Vault CVE-2023-24999: another's credential was destroyed by its id."""
    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    other = factories.application("ci-test")
    rule = AccessRule.objects.get(subject=ci.subject)
    with pytest.raises(NotFound):
        delete_access_rule(caller=dana, rule_id=rule.pk, of=other.subject)
    assert AccessRule.objects.living().filter(pk=rule.pk).exists()
    delete_access_rule(caller=dana, rule_id=rule.pk, of=ci.subject)
    assert not AccessRule.objects.living().filter(pk=rule.pk).exists()


def test_deleting_a_visible_rule_requires_permission_in_its_scope(acme: Organization) -> None:
    rita = factories.person("rita@acme.example")
    for name, letters in {"alpha": "r", "speech": "rd"}.items():
        AccessRule.objects.create(
            subject=rita.subject,
            role=factories.custom_role(f"Rules in {name}", access_rules=letters),
            scope=acme[name],
            created_by="test",
        )
    ci = factories.application("ci-prod")
    rule = factories.rule(ci, "Viewer", acme["vision"])
    with pytest.raises(Denied) as refused:
        delete_access_rule(caller=factories.caller(rita), rule_id=rule.pk)
    assert str(refused.value) == (
        "You need the “Delete access rules” permission in project vision. "
        "Ask someone who manages access rules."
    )
    assert AccessRule.objects.living().filter(pk=rule.pk).exists()


def test_without_any_delete_permission_denial_precedes_lookup(
    acme: Organization,
) -> None:
    vera = factories.person("vera@acme.example", "Viewer")
    with pytest.raises(Denied, match=r"“Delete access rules” permission\."):
        delete_access_rule(caller=factories.caller(vera), rule_id=4711)


@pytest.mark.parametrize("step", ["create", "delete"])
def test_a_rule_and_its_audit_event_fail_together(
    acme: Organization, dana: Caller, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise DatabaseError("the audit log is full")

    ci = factories.application("ci-prod", ("L1 researcher", acme["vision"]))
    before = list(AccessRule.objects.order_by("pk").values())
    monkeypatch.setattr(recorder, "_event", broken)
    with pytest.raises(DatabaseError, match="the audit log is full"):
        if step == "create":
            _grant(dana, ci, "L1 researcher", acme["speech"])
        else:
            delete_access_rule(caller=dana, rule_id=AccessRule.objects.get(subject=ci.subject).pk)
    assert list(AccessRule.objects.order_by("pk").values()) == before


# The last administrator.


def _administrator(email: str) -> tuple[User, AccessRule]:
    person = factories.person(email)
    return person, factories.rule(person, "System administrator", factories.account())


REMOVALS: dict[str, Callable[[User, AccessRule], object]] = {
    "rule": lambda user, rule: delete_access_rule(caller=SYSTEM, rule_id=rule.pk),
    "disable": lambda user, rule: set_subject_enabled(user.subject, enabled=False),
    "retire": lambda user, rule: retire_subjects([user.subject], caller=SYSTEM),
}


@pytest.mark.parametrize("how", REMOVALS)
def test_the_last_administrator_cannot_be_removed(acme: Organization, how: str) -> None:
    sam, rule = _administrator("sam@acme.example")
    message = "The account needs a System administrator"
    with pytest.raises(Conflict, match=message), transaction.atomic():
        REMOVALS[how](sam, rule)
    subject = Subject.objects.get(pk=sam.pk)
    assert subject.enabled
    assert allowed(subject, "create", "users", acme["account"])
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("how", REMOVALS)
def test_an_administrator_can_be_removed_if_another_remains(acme: Organization, how: str) -> None:
    sam, rule = _administrator("sam@acme.example")
    _administrator("sara@acme.example")
    with transaction.atomic():
        REMOVALS[how](sam, rule)
    assert not allowed(Subject.objects.get(pk=sam.pk), "create", "users", acme["account"])


@pytest.mark.parametrize(
    "substitute",
    [
        "application",
        "group",
        "disabled user",
        "retired user",
        "narrower scope",
        "system",
        "other role",
        "deleted rule",
    ],
)
@pytest.mark.parametrize("how", REMOVALS)
def test_only_an_enabled_user_with_own_rule_counts_as_administrator(
    acme: Organization, how: str, substitute: str
) -> None:
    sam, rule = _administrator("sam@acme.example")
    administrator = "System administrator"
    match substitute:
        case "application":
            factories.application("robot", (administrator, acme["account"]))
        case "group":
            member = factories.person("gus@acme.example")
            factories.rule(factories.group("admins", member), administrator, acme["account"])
        case "disabled user" | "retired user":
            other, _ = _administrator("sara@acme.example")
            retired = timezone.now() if substitute == "retired user" else None
            Subject.objects.filter(pk=other.pk).update(enabled=False, retired_at=retired)
        case "narrower scope":
            factories.person("cleo@acme.example", administrator, acme["alpha"])
        case "system":
            factories.person("sol@acme.example", administrator, acme["system"])
        case "other role":
            factories.person("edda@acme.example", "Application administrator", acme["account"])
        case "deleted rule":
            _, deleted = _administrator("sara@acme.example")
            AccessRule.objects.filter(pk=deleted.pk).update(deleted_at=deleted.created_at)
    with pytest.raises(Conflict), transaction.atomic():
        REMOVALS[how](sam, rule)
    assert allowed(Subject.objects.get(pk=sam.pk), "create", "users", acme["account"])


def test_other_rules_of_the_last_administrator_can_be_deleted(acme: Organization) -> None:
    sam, _ = _administrator("sam@acme.example")
    other = factories.rule(sam, "Viewer", acme["vision"])
    delete_access_rule(caller=factories.caller(sam), rule_id=other.pk)
    assert not AccessRule.objects.living().filter(pk=other.pk).exists()


def test_without_an_administrator_removals_are_allowed(acme: Organization) -> None:
    rosa = factories.person("rosa@acme.example", "Viewer")
    with transaction.atomic():
        retire_subjects([rosa.subject], caller=SYSTEM)
    assert Subject.objects.get(pk=rosa.pk).retired_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", REMOVALS)
@pytest.mark.parametrize("second", REMOVALS)
def test_concurrent_removals_leave_one_administrator(first: str, second: str) -> None:
    pairs = [_administrator("sam@acme.example"), _administrator("sara@acme.example")]

    def job(how: str, user: User, rule: AccessRule) -> Callable[[], None]:
        def remove() -> None:
            with transaction.atomic():
                REMOVALS[how](user, rule)

        return remove

    outcomes = together([job(first, *pairs[0]), job(second, *pairs[1])])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    administrators = AccessRule.objects.living().filter(
        subject__enabled=True, role_id=1, scope__path=factories.account().path
    )
    assert administrators.count() == 1


@pytest.mark.django_db(transaction=True)
def test_administrators_removing_each_other_leave_one() -> None:
    (sam, of_sam), (sara, of_sara) = (
        _administrator("sam@acme.example"),
        _administrator("sara@acme.example"),
    )
    outcomes = together(
        [
            lambda: delete_access_rule(caller=factories.caller(sam), rule_id=of_sara.pk),
            lambda: delete_access_rule(caller=factories.caller(sara), rule_id=of_sam.pk),
        ]
    )
    assert len([outcome for outcome in outcomes if isinstance(outcome, AccessRule)]) == 1, outcomes
    assert len([o for o in outcomes if isinstance(o, Conflict | Denied)]) == 1, outcomes
    assert AccessRule.objects.living().count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_equal_grants_create_one_rule() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    ci = factories.application("ci-prod")
    outcomes = together([lambda: _grant(sam, ci, "Viewer", factories.account()) for _ in range(4)])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AccessRule"] + 3 * [
        "Conflict"
    ]
    assert AccessRule.objects.living().filter(subject=ci.subject).count() == 1
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_granting_during_deletion_leaves_no_active_rule() -> None:
    sam = factories.caller(factories.person("sam@acme.example", "System administrator"))
    ci = factories.application("ci-prod")
    scope = factories.cluster("alpha")
    together(
        [
            lambda: _grant(sam, ci, "Viewer", scope),
            lambda: delete_application(caller=sam, application_id=ci.pk),
            lambda: _grant(sam, ci, "L1 researcher", scope),
        ]
    )
    assert not AccessRule.objects.living().filter(subject=ci.subject).exists()
