"""Database constraints."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accessrules.models import AccessRule, GroupMembership, Role, Scope, Subject
from applications.models import Application, SigningKey
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.security.models import AttemptCount
from tests import factories
from tests.domain.conftest import Organization

pytestmark = pytest.mark.django_db


@contextmanager
def refused(constraint: str = "(?i)unique") -> Iterator[None]:
    """Expect an IntegrityError: of a unique constraint, or of the named one."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        yield


# Subjects.


@pytest.mark.parametrize("type_", Subject.Type.values)
def test_subjects_of_one_type_have_unique_names(type_: str) -> None:
    Subject.objects.create(type=type_, name="ci-prod")
    with refused():
        Subject.objects.create(type=type_, name="ci-prod")


def test_subjects_of_different_types_can_share_a_name() -> None:
    for type_ in Subject.Type.values:
        Subject.objects.create(type=type_, name="ci-prod")
    assert Subject.objects.filter(name="ci-prod").count() == 3


def test_name_of_a_retired_subject_can_be_reused() -> None:
    for _ in range(2):
        Subject.objects.create(type="app", name="ci-prod", enabled=False, retired_at=timezone.now())
    Subject.objects.create(type="app", name="ci-prod")
    with refused():
        Subject.objects.create(type="app", name="ci-prod")


def test_retired_subject_cannot_be_restored_if_its_name_is_in_use() -> None:
    old = Subject.objects.create(
        type="app", name="ci-prod", enabled=False, retired_at=timezone.now()
    )
    Subject.objects.create(type="app", name="ci-prod")
    with refused():
        Subject.objects.filter(pk=old.pk).update(retired_at=None)


@pytest.mark.parametrize("type_", ["", "robot", "USER"])
def test_subject_requires_a_known_type(type_: str) -> None:
    with refused("subject_type_known"):
        Subject.objects.create(type=type_, name="ci-prod")


def test_subject_requires_a_name() -> None:
    with refused("subject_name_not_empty"):
        Subject.objects.create(type="app", name="")


def test_retired_subject_is_disabled() -> None:
    with refused("subject_retired_is_disabled"):
        Subject.objects.create(type="app", name="ci-prod", retired_at=timezone.now())
    retired = Subject.objects.create(
        type="app", name="ci-prod", enabled=False, retired_at=timezone.now()
    )
    with refused("subject_retired_is_disabled"):
        Subject.objects.filter(pk=retired.pk).update(enabled=True)


# Groups.


def test_membership_is_unique() -> None:
    gus = factories.person("gus@acme.example")
    researchers = factories.group("researchers", gus)
    with refused():
        GroupMembership.objects.create(group=researchers, member=gus.subject)


def test_group_cannot_be_its_own_member() -> None:
    researchers = factories.group("researchers")
    with refused("membership_not_self"):
        GroupMembership.objects.create(group=researchers, member=researchers)


# Roles.


def test_role_names_are_unique() -> None:
    with refused():
        Role.objects.create(id=77, name="Viewer", description="", created_by="test")


# Scopes.


def test_system_and_account_are_unique(acme: Organization) -> None:
    system = acme["system"]
    with refused():
        Scope.objects.create(
            type="system", uid="other", name="other", depth=0, path="9" * 16, created_by="test"
        )
    with refused():
        Scope.below(system, name="other", created_by="test").save()


@pytest.mark.parametrize("name", ["alpha", "research", "vision"])
def test_external_ids_are_unique_per_scope_type(acme: Organization, name: str) -> None:
    scope = acme[name]
    assert scope.parent
    with refused():
        Scope.below(scope.parent, name="other", created_by="test", uid=scope.uid).save()


def test_scope_names_are_unique_within_a_parent(acme: Organization) -> None:
    with refused():
        factories.project("vision", acme["research"])


def test_scopes_in_different_parents_can_share_a_name(acme: Organization) -> None:
    assert factories.project("vision", acme["sales"]).pk


def test_scope_paths_are_unique(acme: Organization) -> None:
    with refused():
        Scope.objects.filter(pk=acme["speech"].pk).update(path=acme["vision"].path)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("vision", {"type": "galaxy"}),
        ("vision", {"type": "department"}),
        ("vision", {"parent_type": "cluster"}),
        ("vision", {"parent_type": ""}),
        ("vision", {"parent": None}),
        ("vision", {"depth": 3}),
        ("research", {"type": "project"}),
        ("research", {"parent_type": "department"}),
        ("research", {"parent": None}),
        ("research", {"depth": 2}),
        ("alpha", {"type": "department"}),
        ("alpha", {"parent_type": "system"}),
        ("alpha", {"parent": None}),
        ("alpha", {"depth": 1}),
        ("account", {"type": "cluster"}),
        ("account", {"parent": None, "parent_type": ""}),
        ("account", {"depth": 0}),
        ("system", {"parent_type": "system"}),
        ("system", {"depth": 1}),
    ],
)
def test_scope_type_determines_depth_and_parent_type(
    acme: Organization, name: str, changes: dict[str, Any]
) -> None:
    # The path fits the depth, so that only the parent is wrong.
    depth = changes.get("depth", acme[name].depth)
    path = acme[name].path[:16] + "7" * 16 * depth
    with refused("scope_parent_type_matches"):
        Scope.objects.filter(pk=acme[name].pk).update(path=path, **changes)


def test_system_has_no_parent(acme: Organization) -> None:
    with refused("scope_parent_type_matches"):
        Scope.objects.filter(pk=acme["system"].pk).update(parent=acme["account"])


@pytest.mark.parametrize("digits", [0, 16, 79])
def test_path_length_matches_the_depth(acme: Organization, digits: int) -> None:
    with refused("scope_path_matches_depth"):
        Scope.objects.filter(pk=acme["vision"].pk).update(path="7" * digits)


# Access rules.


def test_active_rules_are_unique(acme: Organization) -> None:
    ci = factories.application("ci-prod", ("Viewer", acme["vision"]))
    with refused():
        factories.rule(ci, "Viewer", acme["vision"])
    factories.rule(ci, "Viewer", acme["speech"])
    factories.rule(ci, "ML engineer", acme["vision"])
    factories.application("ci-test", ("Viewer", acme["vision"]))


def test_deleted_rule_can_be_created_again(acme: Organization) -> None:
    ci = factories.application("ci-prod")
    for _ in range(2):
        rule = factories.rule(ci, "Viewer", acme["vision"])
        AccessRule.objects.filter(pk=rule.pk).update(deleted_at=timezone.now())
    factories.rule(ci, "Viewer", acme["vision"])
    with refused():
        AccessRule.objects.filter(pk=rule.pk).update(deleted_at=None)


def test_rule_cannot_be_deleted_before_its_creation(acme: Organization) -> None:
    rule = factories.rule(factories.application("ci-prod"), "Viewer", acme["vision"])
    with refused("access_rule_deleted_after_created"):
        AccessRule.objects.filter(pk=rule.pk).update(
            deleted_at=rule.created_at - timedelta(seconds=1)
        )


# Users and applications.


def test_subject_has_at_most_one_application() -> None:
    ci = factories.application("ci-prod")
    with refused():
        Application.objects.bulk_create([Application(subject=ci.subject, created_by="test")])


def test_subject_has_at_most_one_user() -> None:
    rosa = factories.person("rosa@acme.example")
    with refused():
        User.objects.bulk_create([User(subject=rosa.subject, email="other@acme.example")])


def test_emails_are_unique() -> None:
    factories.person("rosa@acme.example")
    other = Subject.objects.create(type="user", name="other@acme.example")
    with refused():
        User.objects.create(subject=other, email="rosa@acme.example")


@pytest.mark.parametrize(
    "stored",
    [
        "ras_plain-text",
        "$argon2i$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "$argon2d$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "pbkdf2_sha256$1$salt$hash",
        " $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
    ],
)
def test_secret_hash_must_be_argon2id(stored: str) -> None:
    ci = factories.application("ci-prod")
    with refused("client_secret_only_as_argon2id"):
        ci.secrets.update(secret_hash=stored)


def test_application_has_one_secret_of_the_old_format() -> None:
    ci = factories.application("ci-prod", secret=factories.old_secret())
    with refused():
        factories.client_secret(ci, factories.old_secret())


def test_signing_key_ids_are_unique() -> None:
    SigningKey.objects.create(kid="one", encrypted_private_key=b"x", public_jwk={})
    with refused():
        SigningKey.objects.create(kid="one", encrypted_private_key=b"y", public_jwk={})


# The audit log and the attempt counts.


@pytest.mark.parametrize("result", ["", "Maybe", "succeeded"])
def test_audit_result_must_be_succeeded_or_failed(result: str) -> None:
    with refused("audit_result_known"):
        AuditEvent.objects.create(
            subject_type="user", subject_name="x", action="create", entity_type="y", result=result
        )


def test_audit_event_ids_are_unique() -> None:
    facts = {"subject_type": "user", "subject_name": "x", "action": "a", "entity_type": "y"}
    AuditEvent.objects.create(**facts, result="Failed", deduplication_key="k")
    with refused():
        AuditEvent.objects.create(**facts, result="Failed", deduplication_key="k")
    for _ in range(2):
        AuditEvent.objects.create(**facts, result="Failed")


def test_attempt_count_keys_are_unique() -> None:
    AttemptCount.objects.create(key="k", count=1, expires_at=timezone.now())
    with refused():
        AttemptCount.objects.create(key="k", count=1, expires_at=timezone.now())


def test_attempt_count_cannot_be_negative() -> None:
    with refused("(?i)check constraint"):
        AttemptCount.objects.create(key="k", count=-1, expires_at=timezone.now())


def test_subject_role_and_scope_of_a_rule_are_protected(acme: Organization) -> None:
    """Foreign keys to subject, role and scope are PROTECT, to keep the history readable."""
    rule = factories.rule(factories.application("ci-prod"), "Viewer", acme["vision"])
    for thing in (rule.subject, rule.role, rule.scope):
        with pytest.raises(ProtectedError):
            thing.delete()
        thing.refresh_from_db()


def test_path_has_16_random_digits_for_each_level(acme: Organization) -> None:
    """Path labels never collide: they have 16 random digits."""
    labels = {
        Scope.below(acme["research"], name=str(uuid.uuid4()), created_by="test").path[-16:]
        for _ in range(200)
    }
    assert len(labels) == 200
    assert all(label.isdecimal() and len(label) == 16 for label in labels)
