"""Housekeeping deletes only expired rows, in short transactions."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accessrules.models import Subject
from applications.models import TRASH_DAYS, DeletedApplication, RevokedToken
from runai_access.accounts.models import SignInNetwork
from runai_access.api.models import IdempotencyKey
from runai_access.audit import archive as archiving
from runai_access.audit.archive import archive_before
from runai_access.audit.models import AuditEvent, Seal
from runai_access.audit.verification import verify
from runai_access.background.jobs import default_jobs
from runai_access.db import batches
from runai_access.security import throttles
from runai_access.security.models import AttemptCount
from tests import factories
from tests.domain.audit_log import happened

pytestmark = pytest.mark.django_db


def new_count(expires_at: datetime) -> AttemptCount:
    return AttemptCount(key=uuid.uuid4().hex, count=1, expires_at=expires_at)


def new_key(expires_at: datetime) -> IdempotencyKey:
    created_at = expires_at - timedelta(days=1)
    return IdempotencyKey(caller=uuid.uuid4(), key="k", fingerprint="f", created_at=created_at)


def new_revocation(expires_at: datetime) -> RevokedToken:
    # A token is accepted for a minute after its expiry, because clocks differ.
    return RevokedToken(jti=uuid.uuid4(), expires_at=expires_at - timedelta(seconds=60))


def new_session(expires_at: datetime) -> Session:
    return Session(session_key=uuid.uuid4().hex, session_data="", expire_date=expires_at)


def new_network(expires_at: datetime) -> SignInNetwork:
    email = f"{uuid.uuid4().hex}@acme.example"
    last_seen = expires_at - timedelta(days=settings.SIGN_IN_NETWORK_DAYS)
    return SignInNetwork(user=factories.person(email), network="192.0.2.1", last_seen=last_seen)


def new_deleted_application(expires_at: datetime) -> DeletedApplication:
    deleted_at = expires_at - timedelta(days=TRASH_DAYS)
    subject = Subject.objects.create(type="app", name=uuid.uuid4().hex)
    return DeletedApplication(
        subject=subject, was_enabled=True, created_at=deleted_at, deleted_at=deleted_at
    )


EXPIRING: dict[type[models.Model], Callable[[datetime], models.Model]] = {
    AttemptCount: new_count,
    DeletedApplication: new_deleted_application,
    IdempotencyKey: new_key,
    RevokedToken: new_revocation,
    Session: new_session,
    SignInNetwork: new_network,
}
kinds = pytest.mark.parametrize("kind", EXPIRING, ids=lambda kind: kind.__name__)


def keep_house(should_continue: Callable[[], bool] = lambda: True) -> None:
    """Run every job once, as the scheduler does."""
    for job in default_jobs():
        job.run(should_continue)


def add(kind: type[models.Model], *expiries: datetime) -> list[models.Model]:
    rows = [EXPIRING[kind](expires_at) for expires_at in expiries]
    kind._default_manager.bulk_create(rows)
    return rows


@kinds
def test_only_expired_rows_are_deleted(kind: type[models.Model]) -> None:
    second, now = timedelta(seconds=1), timezone.now()
    _, _, kept, later = add(
        kind, now - timedelta(days=400), now - second, now + 30 * second, now + timedelta(days=400)
    )
    keep_house()
    left = set(kind._default_manager.values_list("pk", flat=True))
    assert left == {kept.pk, later.pk}


@kinds
def test_no_transaction_deletes_many_rows(
    kind: type[models.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ROWS_PER_BATCH", 10)
    monkeypatch.setattr(throttles, "ROWS_PER_BATCH", 10)
    add(kind, *[timezone.now() - timedelta(days=2)] * 35)
    table = kind._meta.db_table
    with CaptureQueriesContext(connection) as queries:
        keep_house()
    statements = [query["sql"] for query in queries]
    deletes = [sql for sql in statements if sql.startswith("DELETE") and table in sql]
    assert len(deletes) in (4, 5), "the last query finds nothing"
    assert len([sql for sql in statements if table in sql and "LIMIT 10" in sql]) >= 4
    assert not kind._default_manager.exists()


@pytest.mark.parametrize("kind", [IdempotencyKey, RevokedToken, Session], ids=lambda k: k.__name__)
def test_deleting_stops_between_batches_when_asked(
    kind: type[models.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ROWS_PER_BATCH", 10)
    add(kind, *[timezone.now() - timedelta(days=2)] * 35)
    rows = kind._default_manager.all()
    answers = iter([True, True, False])
    assert batches.delete_in_batches(rows, lambda: next(answers)) == 20
    assert rows.count() == 15
    assert batches.delete_in_batches(rows, lambda: False) == 0


def test_each_batch_of_attempt_counts_is_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "ROWS_PER_BATCH", 10)
    add(AttemptCount, *[timezone.now() - timedelta(days=2)] * 35)
    with CaptureQueriesContext(connection) as queries:
        throttles.forget_expired()
    kinds_of = [query["sql"].split()[0] for query in queries]
    assert kinds_of.count("SAVEPOINT") == 5, "the last query finds nothing"
    assert kinds_of.count("DELETE") == 4


def test_a_batch_of_attempt_counts_keeps_its_size_in_every_query_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL can run a locking subquery again for each row and lock different rows."""
    monkeypatch.setattr(throttles, "ROWS_PER_BATCH", 10)
    add(AttemptCount, *[timezone.now() - timedelta(days=2)] * 35)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for plan in ("hashjoin", "hashagg", "mergejoin", "sort", "material"):
                cursor.execute(f"SET LOCAL enable_{plan} = off")
    answers = iter([True, False])
    throttles.forget_expired(lambda: next(answers))
    assert AttemptCount.objects.count() == 25


def test_every_table_with_expiring_rows_has_a_job() -> None:
    """A new table with expiring rows needs a job, or an entry here with a reason."""
    others = {
        "AccessRule",  # kept as history; a job deletes it softly
        "User",  # `temporary_password_until` is for the password, not the row
        "Application",  # `next_secret_expiry` is that of its secrets
        "ClientSecret",  # shown as expired; adding secrets deletes the oldest that have ended
        "UserSession",  # deleted with its session
        "SocialToken",  # of django-allauth, which does not store tokens here
    }
    words = ("expire", "expiry", "until", "last_seen")
    expiring = {
        model
        for model in apps.get_models()
        if any(word in field.name for field in model._meta.fields for word in words)
    }
    assert {model for model in expiring if model.__name__ not in others} <= EXPIRING.keys()


def test_an_interrupted_archive_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (500, 450, 0):
        AuditEvent.objects.create(
            time=timezone.now() - timedelta(days=days), action="create", result="Succeeded"
        )
    with monkeypatch.context() as patch:
        patch.setattr(archiving, "remove_archived", lambda: 0)  # as after a kill
        archive = archive_before(timezone.now() - timedelta(days=400), tmp_path)
    assert archive is not None
    assert verify().leaving == 2
    keep_house()
    report = verify()
    assert (report.faults, report.leaving, report.archived_events) == ([], 0, 2)
    assert not Seal.objects.filter(number__lte=archive.last_seal).exists()
    assert AuditEvent.objects.count() == 2  # the new row, and the one that records the archiving


def test_without_expired_rows_housekeeping_changes_nothing() -> None:
    happened("one")
    keep_house()
    before = list(AuditEvent.objects.values()), list(Seal.objects.values())
    keep_house()
    assert (list(AuditEvent.objects.values()), list(Seal.objects.values())) == before
