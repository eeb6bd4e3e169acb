"""Client secrets: their format, and the cost and results of verification."""

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
from applications.actions.creation import create_application, create_application_without_secret
from applications.actions.deletion import delete_application
from applications.actions.secrets import regenerate_secret
from applications.actions.status import set_application_enabled
from applications.oauth import secret_verification
from applications.oauth.secret_verification import VerifiedSecretCache, authenticate
from applications.oauth.secrets import id_of, is_well_formed, new_secret
from runai_access.errors import Busy, TooMany
from runai_access.security import hashing, throttles
from runai_access.security.hashing import HashKind, verify_secret
from runai_access.security.models import AttemptCount
from tests import factories
from tests.domain.conftest import CountingHasher, is_authenticated

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_verification, "_cache", VerifiedSecretCache(size=100))


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 62 + DIGITS.index(digit)
    return value


# Format.


def test_secret_has_prefix_id_256_random_bits_and_checksum() -> None:
    for _ in range(200):
        secret = new_secret()
        assert re.fullmatch(r"ras_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", secret)
        assert id_of(secret) == secret[4:16]
        assert _number(secret[17:60]) < 2**256
        assert _number(secret[60:]) == zlib.crc32(secret[:60].encode())
        assert is_well_formed(secret)


def test_all_256_bits_are_random() -> None:
    """In 300 random secrets, a bit is constant with a probability of 2 ** -291."""
    numbers = [_number(new_secret()[17:60]) for _ in range(300)]
    ever_set = ever_clear = 0
    for number in numbers:
        ever_set |= number
        ever_clear |= ~number
    everything = 2**256 - 1
    assert ever_set == everything
    assert ever_clear & everything == everything


@given(st.integers(0, 65), st.characters(min_codepoint=33, max_codepoint=126))
def test_one_mistyped_character_is_detected(position: int, character: str) -> None:
    secret = new_secret()
    mistyped = secret[:position] + character + secret[position + 1 :]
    assert is_well_formed(mistyped) is (mistyped == secret)


@given(st.text(max_size=120))
def test_other_texts_are_malformed(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed(f"ras_{text}")


# The cost of verification.

MALFORMED = [
    "",
    "ras_",
    "x" * 53,
    "ras_" + "0" * 49,
    "ras_" + "0" * 62,
    "é" * 53,
    "\ud800" * 53,
    "\x00" * 53,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("secret", MALFORMED, ids=lambda s: f"{len(s)} of {s[:1]!r}")
@pytest.mark.parametrize("client_id", ["ci-prod", "nobody"])
def test_malformed_secret_costs_no_hash_and_no_query(
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
def test_each_refusal_costs_one_argon2_run(  # noqa: C901  # one branch per case
    db: None, argon2: CountingHasher, case: str
) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    other = create_application(caller=SYSTEM, name="ci-test")
    create_application_without_secret(caller=SYSTEM, name="bare")
    factories.person("rosa@acme.example")
    factories.group("researchers")
    # Cache the right secret first, so that refusals can't benefit from the cache.
    assert authenticate("ci-prod", issued.secret)
    client_id, secret = "ci-prod", issued.secret
    match case:
        case "unknown":
            client_id = "nobody"
        case "wrong":
            secret = new_secret()
        case "disabled, right secret" | "disabled, wrong secret":
            set_application_enabled(
                caller=SYSTEM, application_id=issued.application.pk, enabled=False
            )
            secret = issued.secret if "right" in case else new_secret()
        case "deleted":
            delete_application(caller=SYSTEM, application_id=issued.application.pk)
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


def test_valid_secret_costs_one_argon2_run_and_is_then_cached(
    db: None, argon2: CountingHasher
) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    argon2.verifies = 0
    assert is_authenticated(issued.application, issued.secret)
    assert argon2.verifies == 1
    for _ in range(3):
        assert is_authenticated(issued.application, issued.secret)
    assert argon2.verifies == 1


def test_wrong_secret_is_never_cached(db: None, argon2: CountingHasher) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    wrong = new_secret()
    argon2.verifies = 0
    for _ in range(3):
        assert authenticate("ci-prod", wrong) is None
    assert argon2.verifies == 3
    assert authenticate("ci-prod", issued.secret)


def test_cached_secret_works_only_for_its_application(db: None, argon2: CountingHasher) -> None:
    one = create_application(caller=SYSTEM, name="ci-prod")
    create_application(caller=SYSTEM, name="ci-test")
    assert authenticate("ci-prod", one.secret)
    assert authenticate("ci-test", one.secret) is None


@pytest.mark.full_hashing
def test_dummy_hash_has_the_cost_of_a_real_hash(db: None) -> None:
    """Otherwise timing would reveal which clients exist."""
    issued = create_application(caller=SYSTEM, name="ci-prod")
    *real, salt, digest = factories.hash_of(issued.application).split("$")
    *dummy, dummy_salt, dummy_digest = secret_verification._NO_HASH.split("$")
    assert real == dummy == ["", "argon2id", "v=19", "m=19456,t=2,p=1"]
    assert (len(salt), len(digest)) == (len(dummy_salt), len(dummy_digest))
    assert not verify_secret(secret_verification._NO_HASH, issued.secret)


def test_refusals_are_equal_when_too_many_verifications_wait(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    monkeypatch.setattr(hashing, "GUESSES_WAITING", 0)
    refusals = set()
    with hashing._queue.slot(HashKind.CLIENT_SECRET):
        for client_id, secret in [
            ("ci-prod", issued.secret),
            ("ci-prod", new_secret()),
            ("nobody", new_secret()),
        ]:
            with pytest.raises(Busy) as busy:
                authenticate(client_id, secret)
            refusals.add((str(busy.value), busy.value.retry_after))
    assert len(refusals) == 1
    assert authenticate("ci-prod", issued.secret)


def test_malformed_hash_matches_nothing() -> None:
    for damaged in ("", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA", "plain"):
        assert hashing.verify_secret(damaged, "plain") is False


# Limits on failed verifications.


HOME, CAFE = "192.0.2.10", "198.51.100.20"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three attempts per client and address, six per address, and a stopped clock."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(throttles, "timezone", SimpleNamespace(now=lambda: noon))
    monkeypatch.setattr(secret_verification, "TRIES_PER_CLIENT", 3)
    monkeypatch.setattr(secret_verification, "TRIES_PER_ADDRESS", 6)


def _fail(client_id: str, times: int, address: str = HOME) -> None:
    for _ in range(times):
        assert authenticate(client_id, new_secret(), address) is None


def test_limit_on_wrong_secrets_prevents_hashing_for_30_seconds(
    db: None, few: None, argon2: CountingHasher
) -> None:
    _fail("ci-prod", 3)
    argon2.verifies = 0
    with pytest.raises(TooMany) as refused:
        authenticate("ci-prod", new_secret(), HOME)
    assert 1 <= refused.value.retry_after <= 30
    assert argon2.verifies == 0
    _fail("ci-prod", 1, CAFE)


def test_addresses_of_an_ipv6_network_share_a_limit(db: None, few: None) -> None:
    _fail("ci-prod", 3, "2001:db8::1")
    with pytest.raises(TooMany):
        authenticate("ci-prod", new_secret(), "2001:db8::2")
    _fail("ci-prod", 1, "2001:db8:0:1::1")


def test_cached_secret_is_never_limited(db: None, few: None) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret, HOME)
    _fail("ci-prod", 3)
    with pytest.raises(TooMany):
        authenticate("ci-prod", new_secret(), HOME)
    assert is_authenticated(issued.application, issued.secret, HOME)


def test_success_does_not_count_as_a_failure(db: None, few: None) -> None:
    for number in range(8):
        issued = create_application(caller=SYSTEM, name=f"ci-{number}")
        assert is_authenticated(issued.application, issued.secret, HOME)


def test_address_with_many_client_ids_is_limited(db: None, few: None) -> None:
    for number in range(6):
        _fail(f"invented-{number}", 1)
    issued = create_application(caller=SYSTEM, name="ci-prod")
    with pytest.raises(TooMany):
        authenticate("ci-prod", issued.secret, HOME)
    assert is_authenticated(issued.application, issued.secret, CAFE)


def test_limited_client_does_not_affect_others_at_its_address(db: None, few: None) -> None:
    """A pipeline that retries an old secret must not block others behind its address."""
    _fail("stuck", 3)
    for _ in range(20):
        with pytest.raises(TooMany):
            authenticate("stuck", new_secret(), HOME)
    issued = create_application(caller=SYSTEM, name="ci-prod")
    assert is_authenticated(issued.application, issued.secret, HOME)


def test_busy_verification_changes_no_count(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    known = create_application(caller=SYSTEM, name="ci-known")
    assert authenticate("ci-known", known.secret)
    with ExitStack() as others:
        for _ in range(hashing.MAX_CONCURRENT_GUESSES):
            others.enter_context(hashing.guessing(HashKind.CLIENT_SECRET))
        for client_id, secret in (("ci-prod", issued.secret), ("nobody", new_secret())):
            with django_assert_num_queries(2), pytest.raises(Busy):
                authenticate(client_id, secret, HOME)
        assert is_authenticated(known.application, known.secret)
    assert not AttemptCount.objects.exclude(count=0).exists()
    assert is_authenticated(issued.application, issued.secret, HOME)


def test_unknown_client_ids_store_a_bounded_number_of_counts(db: None, few: None) -> None:
    for number in range(30):
        try:
            authenticate(f"invented-{number}", new_secret(), HOME)
        except TooMany:
            continue
    assert AttemptCount.objects.count() == 1 + 6, "one for the address, and one for each client"


# Revocation.


def test_regenerating_revokes_the_old_secret_immediately(db: None) -> None:
    old = create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", old.secret)
    new = regenerate_secret(caller=SYSTEM, application_id=old.application.pk)
    assert authenticate("ci-prod", old.secret) is None
    assert authenticate("ci-prod", new.secret)


def test_disabling_blocks_a_secret_and_enabling_restores_it(db: None) -> None:
    issued = create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret)
    for enabled in (False, True):
        set_application_enabled(
            caller=SYSTEM, application_id=issued.application.pk, enabled=enabled
        )
        assert bool(authenticate("ci-prod", issued.secret)) is enabled


def test_reusing_a_deleted_name_does_not_restore_its_secret(db: None) -> None:
    old = create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", old.secret)
    delete_application(caller=SYSTEM, application_id=old.application.pk)
    assert authenticate("ci-prod", old.secret) is None
    new = create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", old.secret) is None
    assert is_authenticated(new.application, new.secret)


def test_change_by_another_replica_invalidates_the_cache(db: None, argon2: CountingHasher) -> None:
    """The other replica changes the row directly in the database."""
    issued = create_application(caller=SYSTEM, name="ci-prod")
    assert authenticate("ci-prod", issued.secret)
    issued.application.secrets.update(secret_hash=hashing.hash_secret(new_secret()))
    assert authenticate("ci-prod", issued.secret) is None


# The cache of this process.


def test_cache_contains_no_secret() -> None:
    cache = VerifiedSecretCache(size=10)
    secret = new_secret()
    cache.add("hash", secret)
    assert cache.contains("hash", secret)
    assert secret not in repr(vars(cache))
    assert secret.encode() not in b"".join(cache._digests.values())


def test_processes_store_different_digests_of_a_secret() -> None:
    one, two = VerifiedSecretCache(size=10), VerifiedSecretCache(size=10)
    one.add("hash", "secret")
    two.add("hash", "secret")
    assert one._digests != two._digests


def test_full_cache_removes_the_least_recently_used_secret() -> None:
    cache = VerifiedSecretCache(size=2)
    cache.add("a", "secret")
    cache.add("b", "secret")
    assert cache.contains("a", "secret")
    cache.add("c", "secret")
    assert cache.contains("a", "secret")
    assert cache.contains("c", "secret")
    assert not cache.contains("b", "secret")


def test_cache_keeps_one_secret_for_each_hash() -> None:
    cache = VerifiedSecretCache(size=10)
    cache.add("hash", "one")
    assert not cache.contains("hash", "two")
    assert not cache.contains("other hash", "one")
