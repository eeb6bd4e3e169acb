"""Equivalent Unicode forms of a password are the same password."""

import pytest
from argon2 import PasswordHasher
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.core.management import call_command

from accessrules.authorization.callers import SYSTEM
from runai_access.accounts import signin
from runai_access.accounts.actions import change_own_password, create_user, reset_password
from runai_access.accounts.forms import OwnPasswordForm
from runai_access.accounts.models import User
from tests import factories
from tests.domain.signing_in import request_from
from tests.unicode_examples import decomposed

COMPOSED = "Grüße aus Zürich, schön"
DECOMPOSED = decomposed(COMPOSED)
EMAIL = "rosa@acme.example"
pytestmark = pytest.mark.django_db


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords of all Argon2 runs, in order."""
    spellings: list[str] = []
    real = Argon2PasswordHasher.verify

    def spy(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        spellings.append(password)
        return bool(real(self, password, encoded))

    monkeypatch.setattr(Argon2PasswordHasher, "verify", spy)
    return spellings


def person(password: str) -> User:
    return create_user(caller=SYSTEM, email=EMAIL, password=password)


def stored_as_typed(password: str) -> User:
    """Return a user whose password was hashed as entered, by an earlier version."""
    user = factories.person(EMAIL)
    encoded = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(password)
    user.password = f"argon2{encoded}"
    user.save()
    return user


def sign_in(password: str, email: str = EMAIL) -> User | None:
    return signin.sign_in(request_from(), email=email, password=password)


@pytest.mark.parametrize("chosen", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED, COMPOSED.replace(" ", "\u00a0")])
def test_equivalent_passwords_sign_in(chosen: str, typed: str) -> None:
    user = person(chosen)
    assert sign_in(typed) == user
    for_token = signin.sign_in_for_token(request_from(), email=EMAIL, password=typed)
    assert for_token == user


def test_case_and_width_matter_in_a_password() -> None:
    person(COMPOSED)
    assert sign_in(COMPOSED.upper()) is None
    assert sign_in(COMPOSED.replace("Z", "Ｚ")) is None


def test_password_hashed_as_entered_is_rehashed_at_sign_in() -> None:
    user = stored_as_typed(DECOMPOSED)
    assert sign_in(COMPOSED) is None
    assert sign_in(DECOMPOSED) == user
    assert sign_in(COMPOSED) == user
    before = User.objects.get().password
    assert sign_in(DECOMPOSED) == user
    assert User.objects.get().password == before


def test_composed_password_costs_one_argon2_run(verified: list[str]) -> None:
    person(COMPOSED)
    for password, email in (
        (COMPOSED, EMAIL),
        ("wrong horse battery", EMAIL),
        ("wrong horse battery", "nobody@acme.example"),
    ):
        verified.clear()
        sign_in(password, email)
        assert verified == [password]


def test_unknown_user_costs_as_many_argon2_runs_as_a_known_one(verified: list[str]) -> None:
    person("correct horse battery")
    factories.person("idle@acme.example")
    for email in (EMAIL, "nobody@acme.example", "idle@acme.example"):
        verified.clear()
        assert sign_in(DECOMPOSED, email) is None
        assert verified == [COMPOSED, DECOMPOSED]


def test_equivalent_password_is_the_current_password() -> None:
    user = person(DECOMPOSED)
    caller = factories.caller(user)
    with pytest.raises(ValidationError, match="must differ from the current one"):
        change_own_password(caller=caller, current=COMPOSED, new=DECOMPOSED)
    change_own_password(caller=caller, current=COMPOSED, new=decomposed("Größe ist nicht alles"))
    assert sign_in("Größe ist nicht alles") == user


def test_new_password_can_be_confirmed_in_an_equivalent_form() -> None:
    form = OwnPasswordForm({"current": "x", "new": COMPOSED, "again": DECOMPOSED}, user=User())
    assert form.is_valid()


def test_commands_hash_the_normalized_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_ADMIN_PASSWORD", DECOMPOSED)
    call_command("create_admin", EMAIL)
    assert sign_in(COMPOSED) == User.objects.get()
    reset_password(caller=SYSTEM, email=EMAIL, password=decomposed("Größe ist nicht alles"))
    assert sign_in("Größe ist nicht alles") == User.objects.get()


def test_equivalent_emails_share_one_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factories.person("rosa@straße.de")
    monkeypatch.setattr(signin.settings, "SIGN_IN_FAILURES", 2)
    assert sign_in("wrong horse battery", "rosa@straße.de") is None
    assert sign_in("wrong horse battery", "ROSA@STRASSE.DE") is None
    with pytest.raises(signin.TooManyFailures):
        sign_in("wrong horse battery", "rosa@ｓtrasse\u200b.de")
