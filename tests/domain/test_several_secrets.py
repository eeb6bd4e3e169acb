"""Several client secrets of one application: adding, revoking, expiry, and the tokens of each."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils import timezone
from pytest_django import Settings

from accessrules.authorization.callers import SYSTEM, Caller
from applications.actions import new_secrets
from applications.actions.creation import create_application
from applications.actions.new_secrets import IssuedSecret
from applications.actions.secrets import (
    MAX_LIVE_SECRETS,
    add_secret,
    regenerate_secret,
    revoke_secret,
)
from applications.actions.status import set_application_enabled
from applications.models import Application, ClientSecret
from applications.oauth import secret_verification
from applications.oauth.client_authentication import recognize
from applications.oauth.secret_verification import (
    ExpiredSecret,
    VerifiedSecretCache,
    authenticate,
)
from applications.oauth.secrets import id_of, new_secret
from applications.oauth.tokens import InvalidToken, application_of, issue
from runai_access import environment
from runai_access.audit.models import AuditEvent
from runai_access.audit.recorder import Origin
from runai_access.errors import AlreadyDone, Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import CountingHasher, Organization
from tests.domain.racing import together

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_verification, "_cache", VerifiedSecretCache(size=100))


@pytest.fixture
def sam(acme: Organization) -> Caller:
    return factories.caller(factories.person("sam@acme.example", "System administrator"))


@pytest.fixture
def first(db: None) -> IssuedSecret:
    return create_application(caller=SYSTEM, name="ci-prod")


def add(of: IssuedSecret, **options: object) -> IssuedSecret:
    return add_secret(caller=SYSTEM, application_id=of.application.pk, **options)


def token_with(secret: str) -> str:
    application = authenticate("ci-prod", secret)
    assert application is not None
    return issue(application).text


def is_valid(token: str) -> bool:
    try:
        return application_of(token).name == "ci-prod"
    except InvalidToken:
        return False


def expire(secret: IssuedSecret) -> None:
    ClientSecret.objects.filter(pk=secret.stored.pk).update(
        expires_at=timezone.now() - timedelta(microseconds=1)
    )


# Adding.


def test_added_secret_works_beside_the_others(first: IssuedSecret) -> None:
    second = add(first)
    tokens = [token_with(secret) for secret in (first.secret, second.secret)]
    assert all(map(is_valid, tokens))


def test_id_of_a_secret_is_part_of_its_text(first: IssuedSecret) -> None:
    second = add(first, label="runner")
    assert id_of(second.secret) == second.stored.pk
    assert second.secret.startswith(f"ras_{second.stored.pk}_")
    stored = ClientSecret.objects.get(pk=second.stored.pk)
    assert (stored.label, stored.created_by, stored.expires_at) == ("runner", "system", None)
    assert stored.status == "live"


def test_adding_is_audited_without_the_secret(sam: Caller, first: IssuedSecret) -> None:
    issued = add_secret(caller=sam, application_id=first.application.pk, label="runner")
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.entity_name, event.subject_name) == (
        "update", "ci-prod", "sam@acme.example",
    )  # fmt: skip
    assert event.changes == {"clientSecret": [None, f"{issued.stored.pk} (runner)"]}
    assert issued.secret not in repr(issued)


def test_a_sixth_live_secret_is_refused(first: IssuedSecret) -> None:
    added = [add(first) for _ in range(4)]
    with pytest.raises(Conflict, match="ci-prod has 5 client secrets, the maximum"):
        add(first)
    expire(added[0])
    add(first)
    with pytest.raises(Conflict):
        add(first)
    revoke_secret(caller=SYSTEM, application_id=first.application.pk, secret_id=added[1].stored.pk)
    add(first)
    assert first.application.secrets.live().count() == 5


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"label": "x" * 101}, "label"),
        ({"label": "a\x00b"}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expiresAt"),
    ],
)
def test_invalid_label_or_expiry_adds_nothing(
    first: IssuedSecret, options: dict[str, object], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        add(first, **options)
    assert list(refused.value.message_dict) == [field]
    assert ClientSecret.objects.count() == 1


def test_resubmitting_the_form_adds_one_secret(first: IssuedSecret) -> None:
    number = uuid.uuid4()
    add(first, submission=number)
    with pytest.raises(AlreadyDone):
        add(first, submission=number)
    assert ClientSecret.objects.count() == 2


def test_adding_requires_every_permission_of_the_application(acme: Organization) -> None:
    strong = factories.application("strong", ("System administrator", acme["account"]))
    factories.custom_role("Keeper", apps="cru")
    keeper = factories.person("kim@acme.example", "Keeper")
    with pytest.raises(Denied, match="To manage its credentials"):
        add_secret(caller=factories.caller(keeper), application_id=strong.pk)
    assert strong.secrets.get() == strong.used_secret


def test_only_the_last_ended_secrets_are_kept(
    first: IssuedSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_secrets, "KEPT_SECRETS", 2)
    issued = [
        regenerate_secret(caller=SYSTEM, application_id=first.application.pk) for _ in range(5)
    ]
    kept = {secret.pk for secret in first.application.secrets.all()}
    assert kept == {secret.stored.pk for secret in issued[-3:]}


# Revoking.


def test_revoking_ends_the_secret_and_its_tokens_only(first: IssuedSecret) -> None:
    second = add(first)
    old, new = token_with(first.secret), token_with(second.secret)
    revoke_secret(caller=SYSTEM, application_id=first.application.pk, secret_id=first.stored.pk)
    assert authenticate("ci-prod", first.secret) is None
    assert not is_valid(old)
    assert is_valid(new)
    assert is_valid(token_with(second.secret))


def test_revoked_secret_shows_who_revoked_it(sam: Caller, first: IssuedSecret) -> None:
    revoke_secret(caller=sam, application_id=first.application.pk, secret_id=first.stored.pk)
    stored = ClientSecret.objects.get()
    assert (stored.status, stored.revoked_by) == ("revoked", "sam@acme.example")
    event = AuditEvent.objects.latest("pk")
    assert event.changes == {"clientSecret": [first.stored.pk, "revoked"]}


def test_revoking_an_unknown_or_revoked_secret_is_not_found(first: IssuedSecret) -> None:
    other = create_application(caller=SYSTEM, name="other")
    key = first.application.pk
    revoke_secret(caller=SYSTEM, application_id=key, secret_id=first.stored.pk)
    for id_ in (first.stored.pk, other.stored.pk, "", "\x00" * 12, "x" * 12, "x" * 5000):
        with pytest.raises(NotFound):
            revoke_secret(caller=SYSTEM, application_id=key, secret_id=id_)
    assert authenticate("other", other.secret)


def test_regenerating_revokes_all_secrets(first: IssuedSecret) -> None:
    second = add(first)
    tokens = [token_with(secret) for secret in (first.secret, second.secret)]
    third = regenerate_secret(caller=SYSTEM, application_id=first.application.pk)
    assert [authenticate("ci-prod", secret) for secret in (first.secret, second.secret)] == [
        None, None,
    ]  # fmt: skip
    assert not any(map(is_valid, tokens))
    assert [secret.pk for secret in first.application.secrets.live()] == [third.stored.pk]
    assert is_valid(token_with(third.secret))


def test_disabling_ends_the_tokens_of_all_secrets_and_keeps_the_secrets(
    first: IssuedSecret,
) -> None:
    second = add(first)
    tokens = [token_with(secret) for secret in (first.secret, second.secret)]
    for enabled in (False, True):
        set_application_enabled(caller=SYSTEM, application_id=first.application.pk, enabled=enabled)
    assert not any(map(is_valid, tokens))
    assert all(is_valid(token_with(secret)) for secret in (first.secret, second.secret))


@pytest.mark.django_db(transaction=True)
def test_concurrent_additions_stay_below_the_maximum() -> None:
    first = create_application(caller=SYSTEM, name="ci-prod")
    for _ in range(2):
        add(first)
    outcomes = together([lambda: add(first) for _ in range(4)])
    assert [type(outcome).__name__ for outcome in outcomes].count("IssuedSecret") == 2, outcomes
    assert first.application.secrets.live().count() == MAX_LIVE_SECRETS


# Expiry.


def test_expired_secret_is_refused_and_audited_as_expired(first: IssuedSecret) -> None:
    assert authenticate("ci-prod", first.secret)  # now cached
    expire(first)
    with pytest.raises(ExpiredSecret):
        authenticate("ci-prod", first.secret)
    assert authenticate("ci-prod", new_secret()) is None
    assert recognize("ci-prod", first.secret, Origin("192.0.2.7")) is None
    assert AuditEvent.objects.latest("pk").reason == "expired secret"
    assert ClientSecret.objects.get().status == "expired"


def test_expired_secret_costs_one_argon2_run(first: IssuedSecret, argon2: CountingHasher) -> None:
    expire(first)
    argon2.verifies = 0
    with pytest.raises(ExpiredSecret):
        authenticate("ci-prod", first.secret)
    assert argon2.verifies == 1


def test_token_ends_with_the_expiry_of_its_secret(first: IssuedSecret) -> None:
    soon = add(first, expires_at=timezone.now() + timedelta(seconds=600))
    application = authenticate("ci-prod", soon.secret)
    assert application is not None
    issued = issue(application)
    assert 590 <= issued.expires_in <= 600
    assert is_valid(issued.text)
    expire(soon)
    assert not is_valid(issued.text)
    assert issue(authenticate("ci-prod", first.secret)).expires_in == 3600


# The policy of the installation.


def test_new_secrets_get_the_default_expiry(settings: Settings, sam: Caller) -> None:
    settings.SECRET_EXPIRY_DAYS = 30
    created = create_application(caller=sam, name="ci-prod")
    regenerated = regenerate_secret(caller=sam, application_id=created.application.pk)
    for issued in (created, regenerated):
        assert issued.stored.expires_at is not None
        assert abs(issued.stored.expires_at - timezone.now() - 30 * DAY) < timedelta(minutes=1)


@pytest.mark.parametrize("days", [31, None])
def test_expiry_beyond_the_maximum_age_is_refused(
    first: IssuedSecret, settings: Settings, days: int | None
) -> None:
    settings.SECRET_MAX_AGE_DAYS = 30
    with pytest.raises(ValidationError, match="A client secret must expire within 30 days"):
        add(first, expires_at=days and timezone.now() + days * DAY)
    assert add(first, expires_at=timezone.now() + 30 * DAY).stored.expires_at


def test_secret_above_the_maximum_age_works_and_is_reported(
    first: IssuedSecret, settings: Settings
) -> None:
    settings.SECRET_MAX_AGE_DAYS = 30
    assert not ClientSecret.objects.get().is_too_old
    ClientSecret.objects.update(created_at=timezone.now() - 31 * DAY)
    assert ClientSecret.objects.get().is_too_old
    assert authenticate("ci-prod", first.secret)


@pytest.mark.parametrize(
    ("maximum", "default", "expected"),
    [("", "", (None, None)), ("90", "", (90, 90)), ("90", "30", (90, 30)), ("", "30", (None, 30))],
)
def test_policy_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, maximum: str, default: str, expected: tuple[int, int]
) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_SECRET_MAX_AGE_DAYS", maximum)
    monkeypatch.setenv("RUNAI_ACCESS_SECRET_EXPIRY_DAYS", default)
    assert environment.secret_days() == expected


@pytest.mark.parametrize(
    ("maximum", "default", "reason"),
    [
        ("0", "", "MAX_AGE_DAYS must be a whole number of 1 or more, not '0'"),
        ("x", "", "MAX_AGE_DAYS must be a whole number"),
        ("40000", "", "must be at most 36500"),
        ("30", "31", r"EXPIRY_DAYS \(31\) must be at most RUNAI_ACCESS_SECRET_MAX_AGE_DAYS \(30\)"),
    ],
)
def test_invalid_policy_is_refused(
    monkeypatch: pytest.MonkeyPatch, maximum: str, default: str, reason: str
) -> None:
    monkeypatch.setenv("RUNAI_ACCESS_SECRET_MAX_AGE_DAYS", maximum)
    monkeypatch.setenv("RUNAI_ACCESS_SECRET_EXPIRY_DAYS", default)
    with pytest.raises(ImproperlyConfigured, match=reason):
        environment.secret_days()


# Secrets of release 0.1.0.


def test_secret_of_the_old_format_works_beside_a_new_one(db: None) -> None:
    text = factories.old_secret()
    old = factories.application("ci-prod", secret=text)
    added = add_secret(caller=SYSTEM, application_id=old.pk)
    token = token_with(text)
    assert is_valid(token)
    assert is_valid(token_with(added.secret))
    assert authenticate("ci-prod", factories.old_secret()) is None
    revoke_secret(
        caller=SYSTEM, application_id=old.pk, secret_id=old.secrets.get(has_old_format=True).pk
    )
    assert authenticate("ci-prod", text) is None
    assert not is_valid(token)


def test_wrong_secret_of_either_format_costs_one_argon2_run(
    db: None, argon2: CountingHasher
) -> None:
    factories.application("old", secret=factories.old_secret())
    factories.application("new", secret=new_secret())
    for name in ("old", "new", "unknown"):
        for wrong in (factories.old_secret(), new_secret()):
            argon2.verifies = 0
            assert authenticate(name, wrong) is None
            assert argon2.verifies == 1


def test_token_of_release_0_1_0_ends_with_the_old_secret(db: None) -> None:
    """Such a token names no secret."""
    old = factories.application("ci-prod", secret=factories.old_secret())
    stored = old.used_secret
    old.used_secret = ClientSecret(id="")
    token = issue(old).text
    assert is_valid(token)
    ClientSecret.objects.filter(pk=stored.pk).update(revoked_at=timezone.now())
    assert not is_valid(token)


def test_used_secret_is_the_newest_live_one(first: IssuedSecret) -> None:
    second = add(first)
    expired = add(first)
    expire(expired)
    assert Application.objects.get().used_secret == second.stored
