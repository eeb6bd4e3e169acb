"""Which passwords are too easy to guess."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from runai_access.accounts.models import User
from runai_access.accounts.passwords import new_password

pytestmark = pytest.mark.any_database

ROSA = User(email="rosa.keller@acme.example")


def problems(password: str, user: User = ROSA) -> list[str]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return list(error.messages)
    return []


@pytest.mark.parametrize(
    "password",
    [
        "123456789012", "aaaaaaaaaaaa", "Password123!", "runai-access", "runai-access1",
        "RunAI-Access!", "qwertyuiop12", "abcabcabcabc", "rosa.keller1", "rosakeller2026",
        "acme.example", "acmeexample1", "P@ssw0rd1234", "letmein12345",
    ],
)  # fmt: skip
def test_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    assert problems(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-battery-staple",
        "brisk otter paints lanterns",
        "Zürich-Möwe-Kaffee-47",
        "x" * 5 + "kq8Lw0zPv2",
    ],
)
def test_passphrase_is_accepted(password: str) -> None:
    assert problems(password) == []


def test_generated_passwords_are_accepted() -> None:
    assert [problems(new_password()) for _ in range(20)] == [[]] * 20


def test_estimate_uses_only_the_first_72_characters() -> None:
    """A long password costs no more time than one of 72 characters."""
    assert problems("correct-horse-battery-staple" * 30) == []


@given(password=st.text(max_size=100))
def test_estimate_accepts_any_text(password: str) -> None:
    assert isinstance(problems(password), list)


def test_refusal_suggests_a_passphrase() -> None:
    assert any(
        "Use a passphrase of a few uncommon words." in text for text in problems("Password123!")
    )
