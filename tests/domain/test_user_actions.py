"""Creating users and setting their passwords."""

import math

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from accessrules.authorization.callers import SYSTEM
from accessrules.models import Subject
from runai_access.accounts.actions import (
    create_user,
    make_administrator,
    reset_password,
)
from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db


@pytest.mark.full_hashing
def test_new_user_can_sign_in_and_has_no_permissions() -> None:
    rosa = create_user(caller=SYSTEM, email=" Rosa@Acme.Example ", password=PASSWORD)
    stored = User.objects.get()
    assert stored == rosa
    assert stored.email == stored.subject.name == "rosa@acme.example"
    assert stored.subject.type == "user"
    assert stored.created_by == "system"
    assert stored.is_active
    assert stored.check_password(PASSWORD)
    assert stored.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert not factories.caller(stored).authority.permissions_at(factories.account())


def test_creation_is_audited_without_the_password() -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    rosa = create_user(caller=factories.caller(sam), email="rosa@acme.example", password=PASSWORD)
    event = AuditEvent.objects.get()
    assert (event.action, event.entity_type, event.entity_id, event.entity_name) == (
        "create",
        "user",
        str(rosa.pk),
        "rosa@acme.example",
    )
    assert event.subject_name == "sam@acme.example"
    row = repr(AuditEvent.objects.values())
    assert PASSWORD not in row
    assert "argon2" not in row


def test_user_without_a_password_cannot_sign_in() -> None:
    rosa = create_user(caller=SYSTEM, email="rosa@acme.example", password=None)
    assert not rosa.has_usable_password()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "rosa",
        "rosa@",
        "@acme.example",
        "ro sa@acme.example",
        "rosa@acme.example\n.evil",
        "r" * 300 + "@acme.example",
        "r" * 243 + "@acme.example",
    ],
)
def test_invalid_email_is_refused_and_creates_nothing(email: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_user(caller=SYSTEM, email=email, password=PASSWORD)
    assert list(refused.value.message_dict) == ["email"]
    assert not Subject.objects.exists()


def test_email_can_have_255_characters() -> None:
    email = "r" * 242 + "@acme.example"
    assert len(email) == 255
    assert create_user(caller=SYSTEM, email=email, password=PASSWORD).email == email


@pytest.mark.parametrize("password", ["", "short", "password1234", "rosa@acme.example"])
def test_weak_password_is_refused_and_creates_nothing(password: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_user(caller=SYSTEM, email="rosa@acme.example", password=password)
    assert list(refused.value.message_dict) == ["password"]
    assert not Subject.objects.exists()
    assert not AuditEvent.objects.exists()


def test_email_in_use_is_a_conflict_in_any_case() -> None:
    factories.person("rosa@acme.example")
    with pytest.raises(Conflict) as refused:
        create_user(caller=SYSTEM, email="ROSA@acme.example", password=PASSWORD)
    assert refused.value.field == "email"
    assert User.objects.count() == Subject.objects.count() == 1


@pytest.mark.parametrize("role", [None, "Viewer", "Department administrator", "Cloud operator"])
def test_creating_and_resetting_users_requires_permission_on_the_account(
    acme: Organization, role: str | None
) -> None:
    person = factories.person("mia@acme.example", role)
    factories.rule(person, "System administrator", acme["alpha"])
    mia = factories.caller(person)
    target = factories.person("tess@acme.example")
    with pytest.raises(Denied, match=r"^You need the “Create users” permission in the account\."):
        create_user(caller=mia, email="rosa@acme.example", password=PASSWORD)
    with pytest.raises(Denied, match=r"^You need the “Edit users” permission in the account\."):
        reset_password(caller=mia, email=target.email, password=PASSWORD)
    assert not AuditEvent.objects.exists()


def test_reset_replaces_the_password_and_ends_sessions() -> None:
    rosa = factories.person("rosa@acme.example", password="the old password")
    session = rosa.get_session_auth_hash()
    reset_password(caller=SYSTEM, email="Rosa@acme.example", password=PASSWORD)
    now = User.objects.get()
    assert now.check_password(PASSWORD)
    assert not now.check_password("the old password")
    assert now.get_session_auth_hash() != session
    assert now.updated_at > rosa.updated_at
    event = AuditEvent.objects.get()
    assert (event.action, event.entity_name) == ("reset-password", "rosa@acme.example")
    assert PASSWORD not in repr(AuditEvent.objects.values())
    assert "argon2" not in repr(AuditEvent.objects.values())


def test_weak_password_keeps_the_old_one() -> None:
    factories.person("rosa@acme.example", password="the old password")
    with pytest.raises(ValidationError):
        reset_password(caller=SYSTEM, email="rosa@acme.example", password="short")
    assert User.objects.get().check_password("the old password")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("email", ["nobody@acme.example", "", "ro\x00sa@acme.example", "\ud800"])
def test_unknown_user_is_not_found(email: str) -> None:
    with pytest.raises(NotFound):
        reset_password(caller=SYSTEM, email=email, password=PASSWORD)


@pytest.mark.parametrize("step", ["create", "reset"])
def test_user_and_audit_row_are_atomic(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def broken(*_: object, **__: object) -> None:
        raise DatabaseError("the record is full")

    factories.person("rosa@acme.example", password="the old password")
    monkeypatch.setattr(AuditEvent, "save", broken)
    with pytest.raises(DatabaseError, match="the record is full"):
        if step == "create":
            create_user(caller=SYSTEM, email="other@acme.example", password=PASSWORD)
        else:
            reset_password(caller=SYSTEM, email="rosa@acme.example", password=PASSWORD)
    assert User.objects.get().check_password("the old password")
    assert Subject.objects.count() == 1


def test_generated_passwords_are_valid_and_unique() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        letters = password.replace("-", "")
        assert len(letters) * math.log2(32) == 120
        assert not set(letters) & set("lo10")
    create_user(caller=SYSTEM, email="rosa@acme.example", password=made.pop())


@pytest.mark.parametrize("before", ["nobody", "a stranger", "disabled", "an administrator"])
def test_make_administrator_creates_or_recovers_access(acme: Organization, before: str) -> None:
    if before != "nobody":
        factories.person("sam@acme.example", password="the old password")
    if before == "disabled":
        Subject.objects.filter(name="sam@acme.example").update(enabled=False)
    if before == "an administrator":
        factories.rule(User.objects.get(), "System administrator", acme["account"])
    sam = make_administrator(caller=SYSTEM, email="sam@acme.example", password=PASSWORD)
    stored = User.objects.get()
    assert stored == sam
    assert stored.is_active
    assert stored.check_password(PASSWORD)
    assert stored.subject.access_rules.count() == 1
    assert factories.caller(stored).authority.allows("create", "apps", acme["account"])
    assert PASSWORD not in repr(AuditEvent.objects.values())


@pytest.mark.django_db(transaction=True)
def test_concurrent_creations_with_one_email_succeed_once() -> None:
    outcomes = together(
        [
            lambda: create_user(caller=SYSTEM, email="rosa@acme.example", password=PASSWORD)
            for _ in range(4)
        ]
    )
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["Conflict", "Conflict", "Conflict", "User"], outcomes
    assert Subject.objects.count() == AuditEvent.objects.count() == 1
