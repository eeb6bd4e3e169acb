"""Access rules that expire: decisions, deletion, the last administrator, and changing the expiry."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accessrules.actions.expiry import change_expiry, delete_expired_rules
from accessrules.actions.rules import create_access_rule, delete_access_rule
from accessrules.authorization.authority import allowed, authorities_of, unlimited_authority
from accessrules.authorization.callers import SYSTEM, Caller
from accessrules.authorization.effective_access import changes_by_removing
from accessrules.models import AccessRule, Scope
from applications.models import Application
from runai_access.accounts.actions import make_administrator
from runai_access.accounts.models import User
from runai_access.audit.models import AuditEvent
from runai_access.background.jobs import default_jobs
from runai_access.errors import Conflict, Denied, NotFound
from tests import factories
from tests.domain.conftest import Organization

HOUR = timedelta(hours=1)


@pytest.fixture
def rosa(db: None) -> User:
    return factories.person("rosa@acme.example")


@pytest.fixture
def dana(acme: Organization) -> Caller:
    """Dana, Department administrator of research."""
    return factories.caller(
        factories.person("dana@acme.example", "Department administrator", acme["research"])
    )


def grant(
    holder: factories.Holder,
    scope: Scope,
    expires_at: datetime | None,
    *,
    caller: Caller = SYSTEM,
    role: str = "L1 researcher",
) -> AccessRule:
    return create_access_rule(
        caller=caller, subject=factories.subject_of(holder), role=factories.role(role),
        scope=scope, expires_at=expires_at,
    )  # fmt: skip


def let_expire(*rules: AccessRule) -> None:
    """Move the expiry of rules into the past."""
    keys = [rule.pk for rule in rules]
    AccessRule.objects.filter(pk__in=keys).update(expires_at=timezone.now() - HOUR)


def delete_expired() -> int:
    return delete_expired_rules(lambda: True)


# Decisions.


@pytest.mark.parametrize("is_through_group", [False, True])
def test_a_rule_ends_at_its_expiry(
    acme: Organization, rosa: User, is_through_group: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = timezone.now() + HOUR
    holder = factories.group("ops", rosa) if is_through_group else rosa
    grant(holder, acme["vision"], end)
    for seconds, is_allowed in ((-1, True), (0, False), (1, False), (-1, True)):
        now = end + timedelta(seconds=seconds)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        assert allowed(rosa.subject, "create", "workspaces", acme["vision"]) is is_allowed
        (found,) = authorities_of([rosa.subject]).values()
        assert found.allows("create", "workspaces", acme["vision"]) is is_allowed


def test_an_expired_rule_allows_no_action(acme: Organization, dana: Caller, rosa: User) -> None:
    let_expire(*AccessRule.objects.filter(subject=dana.subject))
    with pytest.raises(Denied):
        grant(rosa, acme["vision"], None, caller=dana)


def test_an_expiry_in_the_past_is_refused(acme: Organization, dana: Caller, rosa: User) -> None:
    with pytest.raises(ValidationError) as caught:
        grant(rosa, acme["vision"], timezone.now(), caller=dana)
    assert caught.value.message_dict == {"expiresAt": ["The expiry must be in the future."]}
    assert not AccessRule.objects.filter(subject=rosa.subject).exists()


# Deletion.


def test_expired_rules_are_deleted_and_audited(acme: Organization, rosa: User) -> None:
    expired = grant(rosa, acme["vision"], timezone.now() + HOUR)
    kept = grant(rosa, acme["speech"], timezone.now() + HOUR)
    let_expire(expired)
    assert delete_expired() == 1
    assert list(AccessRule.objects.living()) == [kept]
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.entity_id) == ("delete", str(expired.pk))
    assert event.subject_name == "system"
    assert event.changes["status"] == ["active", "expired"]
    assert delete_expired() == 0
    assert AuditEvent.objects.latest("pk") == event


def test_deleting_expired_rules_corrects_denormalized_columns(acme: Organization) -> None:
    ci = factories.application("ci")
    let_expire(grant(ci, acme["vision"], timezone.now() + HOUR))
    assert Application.objects.get().first_rule == "L1 researcher in vision"
    delete_expired()
    assert Application.objects.get().first_rule is None


def test_expired_rules_are_deleted_in_batches(
    acme: Organization, rosa: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accessrules.actions.expiry._BATCH_SIZE", 2)
    names = ("vision", "speech", "batch", "forecast", "alpha")
    let_expire(*(grant(rosa, acme[name], timezone.now() + HOUR) for name in names))
    turns = iter([True, False])
    assert delete_expired_rules(lambda: next(turns)) == 2
    assert delete_expired() == 3


def test_a_background_job_deletes_expired_rules_within_a_minute() -> None:
    (job,) = [job for job in default_jobs() if job.run is delete_expired_rules]
    assert job.interval <= 30


def test_an_expired_rule_can_be_granted_again_before_it_is_deleted(
    acme: Organization, dana: Caller, rosa: User
) -> None:
    expired = grant(rosa, acme["vision"], timezone.now() + HOUR, caller=dana)
    with pytest.raises(Conflict):
        grant(rosa, acme["vision"], None, caller=dana)
    let_expire(expired)
    new = grant(rosa, acme["vision"], None, caller=dana)
    assert list(AccessRule.objects.living().filter(subject=rosa.subject)) == [new]
    assert AuditEvent.objects.filter(action="delete", entity_id=str(expired.pk)).count() == 1


# The last administrator.


def test_a_rule_with_an_expiry_is_not_the_required_administrator(acme: Organization) -> None:
    sam = factories.person("sam@acme.example", "System administrator")
    ada = factories.person("ada@acme.example")
    grant(ada, acme["account"], timezone.now() + HOUR, role="System administrator")
    rule = AccessRule.objects.get(subject=sam.subject)
    with pytest.raises(Conflict, match="needs a System administrator"):
        delete_access_rule(caller=SYSTEM, rule_id=rule.pk)
    with pytest.raises(Conflict, match="needs a System administrator"):
        change_expiry(caller=SYSTEM, rule_id=rule.pk, expires_at=timezone.now() + HOUR)
    rule.refresh_from_db()
    assert (rule.expires_at, rule.deleted_at) == (None, None)


# Changing the expiry.


def test_changing_the_expiry_is_audited(acme: Organization, dana: Caller, rosa: User) -> None:
    rule, end = grant(rosa, acme["vision"], None), timezone.now() + HOUR
    changed = change_expiry(caller=dana, rule_id=rule.pk, expires_at=end)
    assert changed.updated_at > rule.updated_at
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.changes) == ("update", {"expiresAt": [None, end.isoformat()]})
    change_expiry(caller=dana, rule_id=rule.pk, expires_at=end)
    assert AuditEvent.objects.latest("pk") == event
    change_expiry(caller=dana, rule_id=rule.pk, expires_at=None)
    assert AccessRule.objects.get(pk=rule.pk).expires_at is None


def test_changing_the_expiry_requires_the_permission_to_grant(
    acme: Organization, rosa: User
) -> None:
    rule = grant(rosa, acme["vision"], timezone.now() + HOUR, role="Department administrator")
    factories.custom_role("Rule manager", access_rules="crud")
    caller = factories.caller(
        factories.person("rolf@acme.example", "Rule manager", acme["research"])
    )
    with pytest.raises(Denied, match="To assign Department administrator"):
        change_expiry(caller=caller, rule_id=rule.pk, expires_at=None)
    reader = factories.caller(factories.person("vera@acme.example", "Viewer", acme["vision"]))
    with pytest.raises(Denied):
        change_expiry(caller=reader, rule_id=rule.pk, expires_at=None)


def test_an_expired_or_invisible_rule_cannot_be_extended(
    acme: Organization, dana: Caller, rosa: User
) -> None:
    elsewhere = grant(rosa, acme["batch"], timezone.now() + HOUR)
    expired = grant(rosa, acme["vision"], timezone.now() + HOUR)
    let_expire(expired)
    for rule in (elsewhere, expired):
        with pytest.raises(NotFound):
            change_expiry(caller=dana, rule_id=rule.pk, expires_at=None)


def test_an_expiry_cannot_be_moved_to_the_past(
    acme: Organization, dana: Caller, rosa: User
) -> None:
    rule = grant(rosa, acme["vision"], None)
    with pytest.raises(ValidationError):
        change_expiry(caller=dana, rule_id=rule.pk, expires_at=timezone.now() - HOUR)


@pytest.mark.parametrize("hours", [1, -1])
def test_recovery_makes_the_administrator_permanent(db: None, hours: int) -> None:
    mia = factories.person("mia@acme.example", "System administrator")
    AccessRule.objects.filter(subject=mia.subject).update(
        expires_at=timezone.now() + timedelta(hours=hours)
    )
    make_administrator(caller=SYSTEM, email=mia.email, password="correct-horse-battery-staple")
    (rule,) = AccessRule.objects.unexpired().filter(subject=mia.subject)
    assert rule.expires_at is None


def test_expired_rule_grants_nothing_that_removing_it_could_take(db: None) -> None:
    mia = factories.person("mia@acme.example", "Viewer")
    expired = AccessRule.objects.get(subject=mia.subject)
    group = factories.group("ops", mia)
    factories.rule(group, "Viewer", factories.account())
    expired.expires_at = timezone.now() - timedelta(seconds=1)
    expired.save()
    (removal,) = changes_by_removing([expired], unlimited_authority())
    assert not removal.changes
