"""Client secrets: what they look like, and what checking one costs and tells."""

import re
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.callers import SYSTEM
from applications import actions
from applications.models import Application
from applications.oauth import secret_verification
from applications.oauth.secret_verification import SecretMemory, authenticate
from applications.oauth.secrets import is_well_formed, new_secret
from runai_access.errors import Busy, TooMany
from runai_access.security import hashing, throttles
from runai_access.security.hashing import HashKind
from runai_access.security.models import AttemptCount
from tests import factories
from tests.domain.conftest import CountingHasher

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def _fresh_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_verification, "_memory", SecretMemory(size=100))


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 62 + DIGITS.index(digit)
    return value


# The form.


def test_a_secret_has_prefix_256_random_bits_and_checksum() -> None:
    for _ in range(200):
        secret = new_secret()
        assert re.fullmatch(r"ras_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", secret)
        assert _number(secret[4:47]) < 2**256
        assert _number(secret[47:]) == zlib.crc32(secret[:47].encode())
        assert is_well_formed(secret)


def test_every_one_of_the_256_bits_varies() -> None:
    """300 secrets leave a bit unset, or set, in all of them once in 2 ** 291 runs."""
    numbers = [_number(new_secret()[4:47]) for _ in range(300)]
    ever_set = ever_clear = 0
    for number in numbers:
        ever_set |= number
        ever_clear |= ~number
    everything = 2**256 - 1
    assert ever_set == everything
    assert ever_clear & everything == everything


@given(st.integers(0, 52), st.characters(min_codepoint=33, max_codepoint=126))
def test_one_mistyped_character_is_noticed(position: int, character: str) -> None:
    secret = new_secret()
    mistyped = secret[:position] + character + secret[position + 1 :]
    assert is_well_formed(mistyped) is (mistyped == secret)


@given(st.text(max_size=120))
def test_any_other_text_is_malformed(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed(f"ras_{text}")


# What checking costs.

MALFORMED = [
    "",
    "ras_",
    "x" * 53,
    "ras_" + "0" * 49,
    "é" * 53,
    "\ud800" * 53,
    "\x00" * 53,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("secret", MALFORMED, ids=lambda s: f"{len(s)} of {s[:1]!r}")
@pytest.mark.parametrize("client_id", ["ci-prod", "nobody"])
def test_a_malformed_secret_costs_no_hash_and_no_query(
    db: None,
    argon2: CountingHasher,
    django_assert_num_queries: DjangoAssertNumQueries,
    client_id: str,
    secret: str,
) -> None:
    factories.application("ci-prod", secret=new_secret())
    argon2.verifies = 0
    with django_assert_num_queries(0):
        assert authenticate(client_id, secret) is None
    assert argon2.verifies == 0


@pytest.mark.parametrize(
    "case",
    [
        "unknown",
        "wrong",
        "disabled, right secret",
        "disabled, wrong secret",
        "deleted",
        "without a secret",
        "a person's name",
        "a group's name",
        "no possible name",
        "a name with NUL",
        "a lone surrogate",
        "a name of a million characters",
        "another's secret",
    ],
)
def test_every_refusal_costs_exactly_one_argon2_verify(  # noqa: C901  # one arm for each case
    db: None, argon2: CountingHasher, case: str
) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    other = actions.create_application(caller=SYSTEM, name="ci-test")
    actions.create_application_without_secret(caller=SYSTEM, name="bare")
    factories.person("rosa@acme.example")
    factories.group("researchers")
    # The right secret is remembered first, so that a refusal can not lean on that either.
    assert authenticate("ci-prod", issued.secret)
    client_id, secret = "ci-prod", issued.secret
    match case:
        case "unknown":
            client_id = "nobody"
        case "wrong":
            secret = new_secret()
        case "disabled, right secret" | "disabled, wrong secret":
            actions.set_application_enabled(
                caller=SYSTEM, application_id=issued.application.pk, enabled=False
            )
            secret = issued.secret if "right" in case else new_secret()
        case "deleted":
            actions.delete_application(caller=SYSTEM, application_id=issued.application.pk)
        case "without a secret":
            client_id = "bare"
        case "a person's name":
            client_id = "rosa@acme.example"
        case "a group's name":
            client_id = "researchers"
        case "no possible name":
            client_id = "CI-PROD"
        case "a name with NUL":
            client_id = "ci-prod\x00"
        case "a lone surrogate":
            client_id = "\ud800"
        case "a name of a million characters":
            client_id = "c" * 1_000_000
        case "another's secret":
            secret = other.secret
    argon2.verifies = argon2.hashes = 0
    assert authenticate(client_id, secret) is None
    assert (argon2.verifies, argon2.hashes) == (1, 0)


def test_the_right_secret_costs_one_verify_and_then_none(db: None, argon2: CountingHasher) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    argon2.verifies = 0
    assert authenticate("ci-prod", issued.secret) == issued.application
    assert argon2.verifies == 1
    for _ in range(3):
        assert authenticate("ci-prod", issued.secret) == issued.application
    assert argon2.verifies == 1


def test_a_wrong_secret_is_never_remembered(db: None, argon2: CountingHasher) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    wrong = new_secret()
    argon2.verifies = 0
    for _ in range(3):
        assert authenticate("ci-prod", wrong) is None
    assert argon2.verifies == 3
    assert authenticate("ci-prod", issued.secret)


def test_what_is_remembered_of_one_application_opens_no_other(
    db: None, argon2: CountingHasher
) -> None:
    one = actions.create_application(caller=SYSTEM, name="ci-prod")
    actions.create_application(caller=SYSTEM, name="ci-test")
    assert authenticate("ci-prod", one.secret)
    assert authenticate("ci-test", one.secret) is None


@pytest.mark.full_hashing
def test_the_dummy_costs_what_a_real_hash_costs(db: None) -> None:
    """The same parameters, or time would tell an unknown client from a known one."""
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    real = issued.application.secret_hash.split("$")[:4]
    assert secret_verification._NO_HASH.split("$")[:4] == real
    assert real == ["", "argon2id", "v=19", "m=19456,t=2,p=1"]


def test_when_too_many_verifies_wait_everyone_hears_the_same(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    monkeypatch.setattr(hashing, "GUESSES_WAITING", 0)
    told = set()
    with hashing._queue.slot(HashKind.CLIENT_SECRET):
        for client_id, secret in [
            ("ci-prod", issued.secret),
            ("ci-prod", new_secret()),
            ("nobody", new_secret()),
        ]:
            with pytest.raises(Busy) as busy:
                authenticate(client_id, secret)
            told.add((str(busy.value), busy.value.retry_after))
    assert len(told) == 1
    assert authenticate("ci-prod", issued.secret)


def test_a_hash_that_can_not_be_read_matches_nothing() -> None:
    for damaged in ("", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA", "plain"):
        assert hashing.verify_secret(damaged, "plain") is False


# How many may be checked in vain.


HOME, CAFE = "192.0.2.10", "198.51.100.20"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries for a client at an address, six for the address; the clock stands still."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(throttles, "timezone", SimpleNamespace(now=lambda: noon))
    monkeypatch.setattr(secret_verification, "TRIES_PER_CLIENT", 3)
    monkeypatch.setattr(secret_verification, "TRIES_PER_ADDRESS", 6)


def _fail(client_id: str, times: int, address: str = HOME) -> None:
    for _ in range(times):
        assert authenticate(client_id, new_secret(), address) is None


def test_too_many_wrong_secrets_cost_no_more_hashing_and_a_wait_of_half_a_minute(
    db: None, few: None, argon2: CountingHasher
) -> None:
    _fail("ci-prod", 3)
    argon2.verifies = 0
    with pytest.raises(TooMany) as refused:
        authenticate("ci-prod", new_secret(), HOME)
    assert 1 <= refused.value.retry_after <= 30
    assert argon2.verifies == 0
    _fail("ci-prod", 1, CAFE)


def test_a_remembered_secret_is_never_made_to_wait(db: None, few: None) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret, HOME)
    _fail("ci-prod", 3)
    with pytest.raises(TooMany):
        authenticate("ci-prod", new_secret(), HOME)
    assert authenticate("ci-prod", issued.secret, HOME) == issued.application


def test_success_counts_against_nobody(db: None, few: None) -> None:
    for number in range(8):
        issued = actions.create_application(caller=SYSTEM, name=f"ci-{number}")
        assert authenticate(issued.application.name, issued.secret, HOME) == issued.application


def test_an_address_that_invents_clients_is_made_to_wait_and_others_are_not(
    db: None, few: None
) -> None:
    for number in range(6):
        _fail(f"invented-{number}", 1)
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    with pytest.raises(TooMany):
        authenticate("ci-prod", issued.secret, HOME)
    assert authenticate("ci-prod", issued.secret, CAFE) == issued.application


def test_a_client_that_is_refused_uses_up_nothing_of_its_neighbours(db: None, few: None) -> None:
    """Behind one address, a pipeline that retries an old secret for ever must not stop the rest."""
    _fail("stuck", 3)
    for _ in range(20):
        with pytest.raises(TooMany):
            authenticate("stuck", new_secret(), HOME)
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret, HOME) == issued.application


def test_a_verify_that_finds_too_many_others_touches_no_count(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    known = actions.create_application(caller=SYSTEM, name="ci-known")
    assert authenticate("ci-known", known.secret)
    with ExitStack() as others:
        for _ in range(hashing.MAX_CONCURRENT_GUESSES):
            others.enter_context(hashing.guessing(HashKind.CLIENT_SECRET))
        for client_id, secret in (("ci-prod", issued.secret), ("nobody", new_secret())):
            with django_assert_num_queries(2), pytest.raises(Busy):
                authenticate(client_id, secret, HOME)
        assert authenticate("ci-known", known.secret) == known.application
    assert not AttemptCount.objects.exclude(count=0).exists()
    assert authenticate("ci-prod", issued.secret, HOME) == issued.application


def test_clients_that_an_address_invents_leave_a_bounded_number_of_counts(
    db: None, few: None
) -> None:
    for number in range(30):
        try:
            authenticate(f"invented-{number}", new_secret(), HOME)
        except TooMany:
            continue
    assert AttemptCount.objects.count() == 1 + 6, "one of the address, and one of each client"


# What ends a secret.


def test_regenerating_ends_the_old_secret_at_once(db: None) -> None:
    old = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", old.secret)
    new = actions.regenerate_secret(caller=SYSTEM, application_id=old.application.pk)
    assert authenticate("ci-prod", old.secret) is None
    assert authenticate("ci-prod", new.secret)


def test_disabling_ends_a_secret_at_once_and_enabling_revives_it(db: None) -> None:
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret)
    for enabled in (False, True):
        actions.set_application_enabled(
            caller=SYSTEM, application_id=issued.application.pk, enabled=enabled
        )
        assert bool(authenticate("ci-prod", issued.secret)) is enabled


def test_deleting_ends_a_secret_at_once_and_the_name_does_not_revive_it(db: None) -> None:
    old = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", old.secret)
    actions.delete_application(caller=SYSTEM, application_id=old.application.pk)
    assert authenticate("ci-prod", old.secret) is None
    new = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", old.secret) is None
    assert authenticate("ci-prod", new.secret) == new.application


def test_another_replica_ends_what_this_one_remembers(db: None, argon2: CountingHasher) -> None:
    """The other replica changes the row behind this process's back."""
    issued = actions.create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret)
    Application.objects.update(secret_hash=hashing.hash_secret(new_secret()))
    assert authenticate("ci-prod", issued.secret) is None


# What this process remembers.


def test_the_memory_holds_no_secret() -> None:
    memory = SecretMemory(size=10)
    secret = new_secret()
    memory.remember("hash", secret)
    assert memory.recalls("hash", secret)
    assert secret not in repr(vars(memory))
    assert secret.encode() not in b"".join(memory._digests.values())


def test_two_processes_remember_the_same_secret_differently() -> None:
    one, two = SecretMemory(size=10), SecretMemory(size=10)
    one.remember("hash", "secret")
    two.remember("hash", "secret")
    assert one._digests != two._digests


def test_the_memory_forgets_the_least_used_when_full() -> None:
    memory = SecretMemory(size=2)
    memory.remember("a", "secret")
    memory.remember("b", "secret")
    assert memory.recalls("a", "secret")
    memory.remember("c", "secret")
    assert memory.recalls("a", "secret")
    assert memory.recalls("c", "secret")
    assert not memory.recalls("b", "secret")


def test_the_memory_keeps_one_secret_for_each_hash() -> None:
    memory = SecretMemory(size=10)
    memory.remember("hash", "one")
    assert not memory.recalls("hash", "two")
    assert not memory.recalls("other hash", "one")
