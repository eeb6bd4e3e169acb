"""FIND A SECRET: what a text contains, for whom, and at which cost."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accessrules.authorization.callers import SYSTEM, Caller
from applications import secret_search
from applications.models import Application
from applications.oauth import secret_verification, secrets
from applications.oauth.secrets import PATTERN, find_all, is_well_formed, new_secret
from applications.secret_search import MAX_SECRETS, FoundSecret, search_secrets
from runai_access.errors import Busy, Denied, TooMany
from tests import factories
from tests.domain.conftest import Organization
from tests.servers import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def ci(acme: Organization, secret: str) -> Application:
    return factories.application("ci", ("Viewer", acme["vision"]), secret=secret)


def search(text: str, caller: Caller = SYSTEM) -> list[tuple[str, str | None]]:
    found = search_secrets(caller=caller, text=text).found
    return [(one.status.value, one.application_name) for one in found]


def other_random_part(secret: str) -> str:
    """Return a well-formed secret with the same public ID."""
    return secrets._with_checksum(secret[:17] + new_secret()[17:60])


def test_documented_pattern_matches_every_secret_and_is_the_one_used() -> None:
    documented = (ROOT / "docs/client-secrets.md").read_text(encoding="utf-8")
    assert f"\n{PATTERN}\n" in documented
    for made in [*(new_secret() for _ in range(100)), factories.old_secret()]:
        assert re.fullmatch(PATTERN, made)
        assert is_well_formed(made)


def test_each_secret_is_found_once_in_any_text(secret: str) -> None:
    old = factories.old_secret()
    text = f'{{"CLIENT_SECRET": "{secret}"}}\nexport OLD={old};{secret} ras_not-one token={secret}x'
    assert find_all(text) == [secret, old]


def test_live_expired_and_revoked_secrets_are_named(ci: Application, secret: str) -> None:
    expired, revoked = new_secret(), new_secret()
    past = timezone.now() - timedelta(days=1)
    factories.client_secret(ci, expired, expires_at=past)
    factories.client_secret(ci, revoked, revoked_at=past)
    assert search(f"{secret} {expired} {revoked}") == [
        ("live", "ci"), ("expired", "ci"), ("revoked", "ci"),
    ]  # fmt: skip
    ci.subject.enabled = False
    ci.subject.save()
    (found,) = search_secrets(caller=SYSTEM, text=secret).found
    assert found.explanation == "This client secret would work, but its application is disabled."


def test_right_id_with_a_wrong_secret_is_not_live(ci: Application, secret: str) -> None:
    damaged = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    assert search(other_random_part(secret)) == [("wrong", "ci")]
    assert search(damaged) == [("wrong", "ci")]
    assert search(new_secret()) == [("unknown", None)]
    assert search(new_secret()[:-1] + "_") == []
    assert search(new_secret()[:-2] + "00") == [("damaged", None)]


def test_old_format_is_never_matched(ci: Application) -> None:
    old = factories.old_secret()
    factories.client_secret(ci, old)
    assert search(old) == [("oldFormat", None)]


def test_secret_of_an_application_that_is_not_visible_is_unknown(
    acme: Organization, ci: Application, secret: str
) -> None:
    factories.custom_role("Reader", apps="r")
    reader = factories.person("rita@acme.example", "Reader", acme["vision"])
    stranger = factories.person("sten@acme.example", "Reader", acme["sales"])
    assert search(secret, factories.caller(reader)) == [("live", "ci")]
    assert search(secret, factories.caller(stranger)) == [("unknown", None)]
    damaged = secret[:-2] + "00"
    assert search(damaged, factories.caller(stranger)) == [("damaged", None)]
    with pytest.raises(Denied):
        search(secret, factories.caller(factories.person("nobody@acme.example")))


def test_each_secret_costs_one_verification_whether_or_not_it_exists(
    acme: Organization, ci: Application, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []

    def noting(secret_hash: str, _: str) -> bool:
        hashes.append(secret_hash)
        return False

    monkeypatch.setattr(secret_verification, "verify_secret", noting)
    factories.custom_role("Reader", apps="r")
    stranger = factories.caller(factories.person("sten@acme.example", "Reader", acme["sales"]))
    search(f"{secret} {new_secret()}", stranger)
    assert len(hashes) == 2
    assert set(hashes) == {secret_verification._NO_HASH}


def test_ten_secrets_are_checked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_search, "matches", lambda *_: False)
    text = " ".join(new_secret() for _ in range(MAX_SECRETS + 3))
    found = search_secrets(caller=SYSTEM, text=text)
    assert (len(found.found), found.skipped) == (MAX_SECRETS, 3)


def test_searches_of_a_caller_are_limited(
    ci: Application, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_search, "SEARCHES", 2)
    ada, bo = (
        factories.caller(factories.person(f"{name}@acme.example", "System administrator"))
        for name in ("ada", "bo")
    )
    search(secret, ada)
    search("nothing", ada)
    search(secret, ada)
    with pytest.raises(TooMany) as refusal:
        search(secret, ada)
    assert 0 < refusal.value.retry_after <= secret_search.SEARCH_SECONDS
    assert search(secret, bo) == [("live", "ci")]


def test_full_queue_refuses_the_search(
    ci: Application, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> bool:
        raise Busy("Too many sign-ins at the same time.", retry_after=2)

    monkeypatch.setattr(secret_search, "SEARCHES", 1)
    ada = factories.caller(factories.person("ada@acme.example", "System administrator"))
    with monkeypatch.context() as patched:
        patched.setattr(secret_verification, "verify_secret", busy)
        for _ in range(2):
            with pytest.raises(Busy, match="at the same time"):
                search(secret, ada)
    assert search(secret, ada) == [("live", "ci")]  # the refused searches do not count


def test_result_does_not_contain_the_text(ci: Application, secret: str) -> None:
    (found,) = search_secrets(caller=SYSTEM, text=secret).found
    assert isinstance(found, FoundSecret)
    assert secret not in repr(vars(found)) + found.beginning + found.explanation
    assert secret[17:40] not in repr(vars(found))
