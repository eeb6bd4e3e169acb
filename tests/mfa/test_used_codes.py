"""A code works once, on all replicas together: each thread has its own connection to the database."""

from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client

from runai_access.accounts.mfa.factors import use_code
from runai_access.accounts.models import User
from tests import factories
from tests.domain.racing import together
from tests.mfa.conftest import PASSWORD, Clock, enter_code, enter_password, with_app

pytestmark = pytest.mark.django_db(transaction=True)
REPLICAS = 4


@pytest.fixture
def codes(db: None) -> list[str]:
    """The recovery codes of Rosa."""
    return with_app(factories.person("rosa@acme.example", password=PASSWORD))


def the_user() -> User:
    return User.objects.get(email="rosa@acme.example")


def attempts(code: str) -> list[Callable[[], object]]:
    user = the_user()
    return [partial(use_code, user, code) for _ in range(REPLICAS)]


def test_attack_code_of_the_app_on_several_replicas(codes: list[str], clock: Clock) -> None:
    assert together(attempts(clock.code())).count(None) == REPLICAS - 1
    assert use_code(the_user(), clock.next_code())


def test_attack_recovery_code_on_several_replicas(codes: list[str]) -> None:
    assert together(attempts(codes[0])).count(None) == REPLICAS - 1
    assert use_code(the_user(), codes[1])


def test_attack_same_code_in_two_browsers(
    codes: list[str], clock: Clock, connection_kept: None
) -> None:
    """The whole request, with its limits and its session."""
    browsers = [Client(), Client()]
    for browser in browsers:
        enter_password(browser)
    code = clock.code()
    answers = together([partial(enter_code, browser, code) for browser in browsers])
    assert sorted(answer.status_code for answer in answers) == [302, 422]


def test_attack_parallel_guesses_beat_no_limit(codes: list[str], connection_kept: None) -> None:
    browsers = [Client() for _ in range(7)]
    for browser in browsers:
        enter_password(browser)
    answers = together([partial(enter_code, browser, "000000") for browser in browsers])
    assert sorted(answer.status_code for answer in answers) == [422] * 5 + [429] * 2
