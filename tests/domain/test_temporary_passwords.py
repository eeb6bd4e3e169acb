"""Creating users with a temporary password, and resetting passwords."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from accessrules.authorization.callers import SYSTEM
from accessrules.models import Subject
from runai_access.accounts.actions import (
    give_temporary_password,
    invite_user,
    make_administrator,
    reset_password,
    set_user_enabled,
)
from runai_access.accounts.backends import EmailBackend
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.errors import AlreadyDone, Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization
from tests.domain.racing import together

ROSA = "rosa@acme.example"
pytestmark = pytest.mark.django_db


def signs_in(email: str, password: str) -> bool:
    return EmailBackend().authenticate(None, email=email, password=password) is not None


def test_new_user_has_a_temporary_password_for_a_week() -> None:
    issued = invite_user(caller=SYSTEM, email=" Rosa@Acme.Example ")
    stored = User.objects.get()
    assert stored == issued.user
    assert stored.email == ROSA
    assert stored.check_password(issued.password)
    assert stored.must_choose_password
    assert stored.temporary_password_until
    lasts = stored.temporary_password_until - timezone.now()
    assert timedelta(days=6, hours=23) < lasts <= timedelta(days=7)
    assert signs_in(ROSA, issued.password)
    assert issued.password not in repr(issued)


def test_expired_temporary_password_is_refused() -> None:
    issued = invite_user(caller=SYSTEM, email=ROSA)
    User.objects.update(temporary_password_until=timezone.now() - timedelta(seconds=1))
    assert not signs_in(ROSA, issued.password)


def test_resubmitting_the_form_creates_one_user() -> None:
    number = uuid.uuid4()
    issued = invite_user(caller=SYSTEM, email=ROSA, submission=number)
    with pytest.raises(AlreadyDone, match="already created"):
        invite_user(caller=SYSTEM, email=ROSA, submission=number)
    assert User.objects.get().check_password(issued.password)
    with pytest.raises(Conflict) as refused:
        invite_user(caller=SYSTEM, email=ROSA, submission=uuid.uuid4())
    assert refused.value.field == "email"
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("email", ["", "rosa", "ro sa@acme.example", "r" * 244 + "@acme.example"])
def test_invalid_email_is_refused_with_the_field(email: str) -> None:
    with pytest.raises(ValidationError) as refused:
        invite_user(caller=SYSTEM, email=email)
    assert list(refused.value.message_dict) == ["email"]
    assert not Subject.objects.exists()


def test_reset_replaces_the_password_and_ends_all_sessions() -> None:
    rosa = factories.person(ROSA, password="the old password")
    session = rosa.get_session_auth_hash()
    issued = give_temporary_password(caller=SYSTEM, user_id=rosa.pk)
    stored = User.objects.get()
    assert signs_in(ROSA, issued.password)
    assert not signs_in(ROSA, "the old password")
    assert stored.must_choose_password
    assert stored.get_session_auth_hash() != session
    assert stored.updated_at > rosa.updated_at
    event = AuditEvent.objects.get()
    assert (event.action, event.entity_name, event.changes) == ("reset-password", ROSA, {})


def test_resubmitting_the_reset_form_resets_once() -> None:
    rosa, number = factories.person(ROSA), uuid.uuid4()
    issued = give_temporary_password(caller=SYSTEM, user_id=rosa.pk, submission=number)
    with pytest.raises(AlreadyDone, match="already reset"):
        give_temporary_password(caller=SYSTEM, user_id=rosa.pk, submission=number)
    assert signs_in(ROSA, issued.password)
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("replace", ["reset_password", "make_administrator"])
def test_password_set_by_a_command_is_permanent(replace: str) -> None:
    invite_user(caller=SYSTEM, email=ROSA)
    action = {"reset_password": reset_password, "make_administrator": make_administrator}[replace]
    action(caller=SYSTEM, email=ROSA, password="correct horse battery")
    assert not User.objects.get().must_choose_password
    assert signs_in(ROSA, "correct horse battery")


def test_audit_log_contains_no_password_or_hash() -> None:
    issued = invite_user(caller=SYSTEM, email=ROSA)
    again = give_temporary_password(caller=SYSTEM, user_id=issued.user.pk)
    rows = repr(list(AuditEvent.objects.values()))
    for text in (issued.password, again.password, "argon2"):
        assert text not in rows


Act = Callable[[User, User], object]
ACTS: dict[str, Act] = {
    "reset": lambda by, whom: give_temporary_password(caller=factories.caller(by), user_id=whom.pk),
    "enable": lambda by, whom: set_user_enabled(
        caller=factories.caller(by), user_id=whom.pk, enabled=True
    ),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("through", ["a rule", "a group", "a disabled group"])
def test_managing_a_stronger_user_is_denied(acme: Organization, act: Act, through: str) -> None:
    """Keycloak CVE-2025-7784: user managers could become administrators."""
    factories.custom_role("Keeper", users="cru")
    kim = factories.person("kim@acme.example", "Keeper")
    strong = factories.person("sam@acme.example", password="the old password")
    if through == "a rule":
        factories.rule(strong, "Viewer", acme["vision"])
    else:
        group = factories.group("engineers", strong)
        factories.rule(group, "Viewer", acme["vision"])
        Subject.objects.filter(pk=group.pk).update(enabled=through == "a group")
    Subject.objects.filter(pk=strong.pk).update(enabled=False)
    with pytest.raises(Denied, match="you need the same"):
        act(kim, strong)
    stored = User.objects.get(pk=strong.pk)
    assert stored.check_password("the old password")
    assert not stored.enabled
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_managing_a_user_with_equal_permissions_is_allowed(acme: Organization, act: Act) -> None:
    factories.custom_role("Keeper", users="cru")
    kim = factories.person("kim@acme.example", "Keeper")
    factories.rule(kim, "Viewer", acme["alpha"])
    weak = factories.person("wim@acme.example", "Viewer", acme["vision"])
    Subject.objects.filter(pk=weak.pk).update(enabled=False)
    act(kim, weak)
    assert AuditEvent.objects.count() == 1


def test_update_of_visible_user_is_denied_and_of_invisible_not_found(
    acme: Organization,
) -> None:
    lead = factories.caller(
        factories.person("lead@acme.example", "Department administrator", acme["research"])
    )
    near = factories.person("near@acme.example", "Viewer", acme["vision"])
    with pytest.raises(Denied):
        give_temporary_password(caller=lead, user_id=near.pk)
    with pytest.raises(Denied):
        invite_user(caller=lead, email=ROSA)
    factories.custom_role("Local keeper", users="cru")
    local = factories.person("lou@acme.example", "Local keeper", acme["research"])
    far = factories.person("far@acme.example", "Viewer", acme["batch"])
    for act in ACTS.values():
        with pytest.raises(NotFound):
            act(local, far)
        with pytest.raises(Denied):
            act(local, near)


def test_disabling_ends_sessions_and_keeps_the_password() -> None:
    rosa = factories.person(ROSA, password="the old password")
    session = rosa.get_session_auth_hash()
    set_user_enabled(caller=SYSTEM, user_id=rosa.pk, enabled=False)
    assert not signs_in(ROSA, "the old password")
    set_user_enabled(caller=SYSTEM, user_id=rosa.pk, enabled=True)
    stored = User.objects.get()
    assert signs_in(ROSA, "the old password")
    assert stored.get_session_auth_hash() != session
    changes = [event.changes for event in AuditEvent.objects.order_by("pk")]
    assert changes == [{"enabled": [True, False]}, {"enabled": [False, True]}]


def test_unchanged_status_writes_nothing() -> None:
    rosa = factories.person(ROSA)
    set_user_enabled(caller=SYSTEM, user_id=rosa.pk, enabled=True)
    assert not AuditEvent.objects.exists()
    assert User.objects.get().sessions_id == rosa.sessions_id


def test_last_administrator_cannot_be_disabled() -> None:
    ada = factories.person("ada@acme.example", "System administrator")
    group = factories.group("admins", factories.person("bob@acme.example"))
    factories.rule(group, "System administrator", factories.account())
    with pytest.raises(Conflict, match="The account needs a System administrator"):
        set_user_enabled(caller=factories.caller(ada), user_id=ada.pk, enabled=False)
    stored = User.objects.get(pk=ada.pk)
    assert stored.enabled
    assert stored.sessions_id == ada.sessions_id
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_administrators_disabling_each_other_leave_one_enabled() -> None:
    administrators = [
        factories.person(f"{name}@acme.example", "System administrator") for name in ("ada", "bob")
    ]
    disable = partial(set_user_enabled, caller=SYSTEM, enabled=False)
    outcomes = together([partial(disable, user_id=whom.pk) for whom in administrators])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "User"], outcomes
    assert User.objects.filter(subject__enabled=True).count() == 1


@pytest.mark.parametrize("step", ["create", "reset", "disable"])
def test_change_and_audit_row_are_atomic(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def broken(*_: object, **__: object) -> None:
        raise DatabaseError("the record is full")

    rosa = factories.person(ROSA, password="the old password")
    monkeypatch.setattr(AuditEvent, "save", broken)
    acts: dict[str, Callable[[], object]] = {
        "create": lambda: invite_user(caller=SYSTEM, email="other@acme.example"),
        "reset": lambda: give_temporary_password(caller=SYSTEM, user_id=rosa.pk),
        "disable": lambda: set_user_enabled(caller=SYSTEM, user_id=rosa.pk, enabled=False),
    }
    with pytest.raises(DatabaseError, match="the record is full"):
        acts[step]()
    assert User.objects.get().sessions_id == rosa.sessions_id
    assert signs_in(ROSA, "the old password")


@pytest.mark.parametrize("id_", ["x", factories.UNKNOWN_ID])
def test_unknown_user_is_not_found(id_: str) -> None:
    for act in (give_temporary_password, lambda **a: set_user_enabled(enabled=False, **a)):
        with pytest.raises(NotFound):
            act(caller=SYSTEM, user_id=id_)


def test_lifetime_of_temporary_passwords_is_a_setting(settings: Settings) -> None:
    settings.TEMPORARY_PASSWORD_SECONDS = 60
    issued = invite_user(caller=SYSTEM, email=ROSA)
    assert issued.user.temporary_password_until
    assert issued.user.temporary_password_until - timezone.now() <= timedelta(seconds=60)
