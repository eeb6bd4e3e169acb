"""Creating a person with a temporary password, and giving somebody a new one."""

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


def test_a_new_person_has_a_password_that_is_good_for_a_week_and_must_be_replaced() -> None:
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


def test_a_temporary_password_past_its_time_opens_nothing() -> None:
    issued = invite_user(caller=SYSTEM, email=ROSA)
    User.objects.update(temporary_password_until=timezone.now() - timedelta(seconds=1))
    assert not signs_in(ROSA, issued.password)


def test_the_same_form_makes_one_person_and_no_second_password() -> None:
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
def test_a_bad_email_is_told_beside_its_field(email: str) -> None:
    with pytest.raises(ValidationError) as refused:
        invite_user(caller=SYSTEM, email=email)
    assert list(refused.value.message_dict) == ["email"]
    assert not Subject.objects.exists()


def test_a_reset_replaces_the_password_and_ends_every_session() -> None:
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


def test_the_same_reset_form_does_it_once() -> None:
    rosa, number = factories.person(ROSA), uuid.uuid4()
    issued = give_temporary_password(caller=SYSTEM, user_id=rosa.pk, submission=number)
    with pytest.raises(AlreadyDone, match="already reset"):
        give_temporary_password(caller=SYSTEM, user_id=rosa.pk, submission=number)
    assert signs_in(ROSA, issued.password)
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize("replace", ["reset_password", "make_administrator"])
def test_a_password_from_the_machine_is_to_keep(replace: str) -> None:
    invite_user(caller=SYSTEM, email=ROSA)
    action = {"reset_password": reset_password, "make_administrator": make_administrator}[replace]
    action(caller=SYSTEM, email=ROSA, password="correct horse battery")
    assert not User.objects.get().must_choose_password
    assert signs_in(ROSA, "correct horse battery")


def test_no_password_and_no_hash_is_in_the_record() -> None:
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
def test_nobody_gains_by_handling_someone_stronger(
    acme: Organization, act: Act, through: str
) -> None:
    """Keycloak CVE-2025-7784: who may manage users grew into an administrator."""
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
def test_who_holds_the_same_may_handle_them(acme: Organization, act: Act) -> None:
    factories.custom_role("Keeper", users="cru")
    kim = factories.person("kim@acme.example", "Keeper")
    factories.rule(kim, "Viewer", acme["alpha"])
    weak = factories.person("wim@acme.example", "Viewer", acme["vision"])
    Subject.objects.filter(pk=weak.pk).update(enabled=False)
    act(kim, weak)
    assert AuditEvent.objects.count() == 1


def test_who_sees_a_person_and_may_not_change_people_is_denied_and_a_stranger_not_found(
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


def test_disabling_ends_sessions_for_good_and_the_password_stays() -> None:
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


def test_what_is_so_already_is_not_done_again() -> None:
    rosa = factories.person(ROSA)
    set_user_enabled(caller=SYSTEM, user_id=rosa.pk, enabled=True)
    assert not AuditEvent.objects.exists()
    assert User.objects.get().sessions_id == rosa.sessions_id


def test_the_last_administrator_can_not_be_disabled() -> None:
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
def test_two_administrators_who_disable_each_other_leave_one() -> None:
    people = [
        factories.person(f"{name}@acme.example", "System administrator") for name in ("ada", "bob")
    ]
    disable = partial(set_user_enabled, caller=SYSTEM, enabled=False)
    outcomes = together([partial(disable, user_id=whom.pk) for whom in people])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "User"], outcomes
    assert User.objects.filter(subject__enabled=True).count() == 1


@pytest.mark.parametrize("step", ["create", "reset", "disable"])
def test_a_change_and_its_row_stand_or_fall_together(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
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
def test_an_unknown_person_is_not_found(id_: str) -> None:
    for act in (give_temporary_password, lambda **a: set_user_enabled(enabled=False, **a)):
        with pytest.raises(NotFound):
            act(caller=SYSTEM, user_id=id_)


def test_the_setting_says_how_long(settings: Settings) -> None:
    settings.TEMPORARY_PASSWORD_SECONDS = 60
    issued = invite_user(caller=SYSTEM, email=ROSA)
    assert issued.user.temporary_password_until
    assert issued.user.temporary_password_until - timezone.now() <= timedelta(seconds=60)
