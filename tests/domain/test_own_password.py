"""Actions of users on their own password and sessions."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts.actions import (
    change_own_password,
    end_own_sessions,
    give_temporary_password,
    invite_user,
)
from runai_access.accounts.models import User
from runai_access.accounts.passwords import PASSWORD_MAX_LENGTH
from runai_access.audit.models import AuditEvent
from runai_access.errors import Conflict, NotFound
from tests import factories

OLD, NEW = "the old password", "correct horse battery"
pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example", password=OLD)


@pytest.mark.full_hashing
def test_changing_the_password_ends_sessions(rosa: User) -> None:
    session = rosa.get_session_auth_hash()
    change_own_password(caller=factories.caller(rosa), current=OLD, new=NEW)
    stored = User.objects.get()
    assert stored.check_password(NEW)
    assert not stored.check_password(OLD)
    assert stored.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored.get_session_auth_hash() != session
    event = AuditEvent.objects.get()
    assert (event.action, event.subject_name, event.entity_id) == (
        "update", "rosa@acme.example", str(rosa.pk),
    )  # fmt: skip
    assert event.changes == {"password": ["previous", "changed"]}
    row = repr(AuditEvent.objects.values())
    assert all(text not in row for text in (OLD, NEW, "argon2"))


def test_changing_a_temporary_password_makes_it_permanent() -> None:
    issued = invite_user(caller=SYSTEM, email="rosa@acme.example")
    change_own_password(caller=factories.caller(issued.user), current=issued.password, new=NEW)
    assert not User.objects.get().must_choose_password


def test_temporary_password_cannot_be_reused() -> None:
    issued = invite_user(caller=SYSTEM, email="rosa@acme.example")
    with pytest.raises(ValidationError) as refused:
        change_own_password(
            caller=factories.caller(issued.user), current=issued.password, new=issued.password
        )
    assert list(refused.value.message_dict) == ["new"]
    assert User.objects.get().must_choose_password


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("not the old one", NEW, "current"),
        ("", NEW, "current"),
        (OLD, "short", "new"),
        (OLD, "password1234", "new"),
        (OLD, "rosa@acme.example", "new"),
        (OLD, OLD, "new"),
        (OLD, "x" * (PASSWORD_MAX_LENGTH + 1), "new"),
    ],
)
def test_invalid_password_is_refused_with_the_field(
    rosa: User, current: str, new: str, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        change_own_password(caller=factories.caller(rosa), current=current, new=new)
    assert list(refused.value.message_dict) == [field]
    assert User.objects.get().check_password(OLD)
    assert not AuditEvent.objects.exists()


def test_concurrent_reset_is_not_overwritten(rosa: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A concurrent change must not restore access after a reset."""
    from runai_access.accounts import actions

    set_password = actions.set_password

    def then_reset(user: User, password: str, **field: str) -> None:
        set_password(user, password, **field)
        monkeypatch.setattr(actions, "set_password", set_password)
        give_temporary_password(caller=SYSTEM, user_id=rosa.pk)

    monkeypatch.setattr(actions, "set_password", then_reset)
    with pytest.raises(Conflict, match="changed in the meantime"):
        change_own_password(caller=factories.caller(rosa), current=OLD, new=NEW)
    stored = User.objects.get()
    assert stored.must_choose_password
    assert not stored.check_password(NEW)


def test_signing_out_everywhere_keeps_the_password(rosa: User) -> None:
    session = rosa.get_session_auth_hash()
    end_own_sessions(caller=factories.caller(rosa))
    stored = User.objects.get()
    assert stored.get_session_auth_hash() != session
    assert stored.check_password(OLD)
    assert stored.updated_at == rosa.updated_at
    event = AuditEvent.objects.get()
    assert (event.action, event.changes) == ("sign-out", {"sessions": ["open", "ended"]})


ACTS: list[Callable[..., object]] = [
    end_own_sessions,
    lambda caller: change_own_password(caller=caller, current=OLD, new=NEW),
]


@pytest.mark.parametrize("act", ACTS, ids=["sign out", "change"])
def test_applications_and_commands_have_no_password(act: Callable[..., object]) -> None:
    for caller in (SYSTEM, factories.caller(factories.application("ci"))):
        with pytest.raises(NotFound):
            act(caller=caller)
