"""Figures about the installation, from its database: for the System page and for the metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.utils import timezone

from applications.models import SigningKey
from runai_access.audit import known_head, output
from runai_access.audit.models import Archive, AuditEvent, Seal, Unsealed
from runai_access.maintenance.models import MaintenanceRun

SEALING_OVERDUE = timedelta(minutes=1)
BACKUP_OVERDUE = timedelta(days=2)
VERIFICATION_OVERDUE = timedelta(days=2)
ARCHIVE_OVERDUE = timedelta(days=31)
# A successor is created when a token is requested, so a quiet installation is a little late.
SIGNING_KEY_GRACE = timedelta(days=7)


@dataclass(frozen=True)
class Figures:
    """The state of an installation at `now`."""

    now: datetime
    head: known_head.Head
    newest_event: int
    unsealed: int
    oldest_unsealed: datetime | None
    signing_keys: list[datetime]
    pending_migrations: int
    runs: dict[str, MaintenanceRun]
    last_archive: datetime | None
    oldest_event: datetime | None
    # Of the oldest seal that was not written to RUNAI_ACCESS_AUDIT_LOG yet.
    unwritten_since: datetime | None
    connections: dict[str, int] = field(default_factory=dict)

    @property
    def seal_lag(self) -> timedelta:
        """The age of the oldest row that is not sealed yet."""
        return self.now - self.oldest_unsealed if self.oldest_unsealed else timedelta()

    @property
    def output_lag(self) -> timedelta:
        """The age of the oldest sealed row that is not in RUNAI_ACCESS_AUDIT_LOG yet."""
        return self.now - self.unwritten_since if self.unwritten_since else timedelta()

    @property
    def signing_key_age(self) -> timedelta:
        """The age of the key that signs tokens."""
        active = [since for since in self.signing_keys if since <= self.now]
        return self.now - max(active) if active else timedelta()

    def overdue(self) -> Iterator[tuple[str, bool]]:
        """Yield each task that is due regularly, and whether it is overdue."""
        retention = timedelta(days=settings.AUDIT_RETENTION_DAYS) + ARCHIVE_OVERDUE
        yield "sealing", self.seal_lag > SEALING_OVERDUE
        yield "audit_log", self.output_lag > SEALING_OVERDUE
        yield "backup", self._is_overdue("backup", BACKUP_OVERDUE)
        yield "verify_audit", self._is_overdue("verify_audit", VERIFICATION_OVERDUE)
        yield "archive_audit", bool(self.oldest_event and self.now - self.oldest_event > retention)
        yield (
            "signing_key",
            self.signing_key_age > timedelta(days=settings.SIGNING_KEY_DAYS) + SIGNING_KEY_GRACE,
        )
        yield "migrations", bool(self.pending_migrations)

    def _is_overdue(self, command: str, limit: timedelta) -> bool:
        run = self.runs.get(command)
        return run is None or not run.succeeded or self.now - run.finished_at > limit


def read() -> Figures:
    """Read the figures with queries that are cheap for any number of rows. Raises DatabaseError."""
    oldest = Unsealed.objects.filter(event_id__gt=0).order_by("event_id")
    waiting = list(oldest.values_list("event_id", flat=True)[:1])
    return Figures(
        now=timezone.now(),
        head=known_head.head(),
        newest_event=AuditEvent.objects.aggregate(newest=Max("id"))["newest"] or 0,
        unsealed=Unsealed.objects.count(),
        oldest_unsealed=AuditEvent.objects.filter(pk__in=waiting)
        .values_list("time", flat=True)
        .first(),
        signing_keys=list(SigningKey.objects.values_list("signs_from", flat=True)),
        pending_migrations=_pending_migrations(),
        runs={run.command: run for run in MaintenanceRun.objects.all()},
        last_archive=Archive.objects.aggregate(last=Max("made_at"))["last"],
        oldest_event=AuditEvent.objects.order_by("time").values_list("time", flat=True).first(),
        unwritten_since=_unwritten_since(),
        connections=_connections(),
    )


def _unwritten_since() -> datetime | None:
    if not settings.AUDIT_LOG:
        return None
    unwritten = Seal.objects.filter(number__gt=output.position()).order_by("number")
    return unwritten.values_list("sealed_at", flat=True).first()


def _pending_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _connections() -> dict[str, int]:
    """Return the number of connections to the database by state; SQLite has no server."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'unknown'), count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() GROUP BY 1"
        )
        return dict(cursor.fetchall())
