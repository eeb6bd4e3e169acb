"""What an application did in the last 30 days, to judge what a leaked client secret was used for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from django.db.models import F, Max, QuerySet, Sum
from django.utils import timezone

from accessrules.authorization.authority import Authority
from applications.models import Application, ClientSecret, SecretUse
from runai_access.audit.models import AuditEvent
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.db.normalization_sql import is_lower
from runai_access.lists.times import current_zone_name

DAYS = 30
# The newest events that are read. A client at one address has one of sign-ins each minute, so these are
# more than its events of 30 days.
MAX_SCANNED = 50_000
# Rows of each part that are read.
MAX_ROWS = 5_000


@dataclass(frozen=True)
class SecretCaller:
    """A caller that used a client secret; without an address, all others together."""

    secret: ClientSecret
    address: str
    agent: str
    count: int
    last_at: datetime


@dataclass(frozen=True)
class IncidentReport:
    """The last DAYS days of an application, since `since`, the latest first.

    `operations` are its audited requests, without successful sign-ins. `refusals` are its refused
    requests and the failed sign-ins with its client ID. Both are None for readers who can't view the
    audit log. Events before `audited_since` were not read.
    """

    since: datetime
    callers: list[SecretCaller]
    operations: list[AuditEvent] | None = None
    refusals: list[AuditEvent] | None = None
    audited_since: datetime | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all events of these days were read."""
        return self.audited_since in (None, self.since)


def report_of(application: Application, authority: Authority) -> IncidentReport:
    """Return the report of an application, for the reader with this authority."""
    since = timezone.now() - timedelta(days=DAYS)
    callers = _callers(application, since)
    if not authority.reads_audit_log:
        return IncidentReport(since, callers)
    own = AuditEvent.objects.filter(subject_id=application.pk, time__gte=since)
    audited_since = _bound(own) or since
    events = list(_without_sign_ins(own.filter(time__gte=audited_since)))
    failed = AuditEvent.Result.FAILED
    refusals = [event for event in events if event.result == failed]
    refusals += _newest(_failed_sign_ins(application.name).filter(time__gte=since))
    return IncidentReport(
        since,
        callers,
        operations=[event for event in events if event.result != failed],
        refusals=sorted(refusals, key=lambda event: (event.time, event.pk), reverse=True),
        audited_since=audited_since,
    )


def _callers(application: Application, since: datetime) -> list[SecretCaller]:
    secrets = {secret.pk: secret for secret in application.secrets.all()}
    uses = SecretUse.objects.filter(secret__in=list(secrets), day__gte=since.date())
    grouped = uses.values_list("secret", "address", "agent").annotate(
        uses=Sum("count"), latest=Max("last_at")
    )
    return [
        SecretCaller(secrets[key], address, agent, count, last_at)
        for key, address, agent, count, last_at in grouped.order_by(
            "-latest", "secret", "address", "agent"
        )[:MAX_ROWS]
    ]


def _bound(events: QuerySet[AuditEvent]) -> datetime | None:
    """Return the time of the oldest event to read, or None to read all."""
    times = events.order_by("-time").values_list("time", flat=True)
    return next(iter(times[MAX_SCANNED : MAX_SCANNED + 1]), None)


# Expressions have no index, so SQLite must use that of the subject, or that of the name.
_ACTION, _RESULT = SQLiteNoIndexHint(F("action")), SQLiteNoIndexHint(F("result"))
_TYPE, _ID = SQLiteNoIndexHint(F("entity_type")), SQLiteNoIndexHint(F("entity_id"))
# SQLite would also put a value that the column equals into LOWER(), and then not use its index.
_NAME = SQLiteNoIndexHint(F("entity_name"))


def _without_sign_ins(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    tested = events.alias(tested_action=_ACTION, tested_result=_RESULT)
    succeeded = AuditEvent.Result.SUCCEEDED
    return _newest(tested.exclude(tested_action="sign-in", tested_result=succeeded))


def _failed_sign_ins(name: str) -> QuerySet[AuditEvent]:
    """Return the failed sign-ins with this client ID. They are not known to be of the application."""
    named = AuditEvent.objects.filter(is_lower("entity_name", name))
    tested = named.alias(tested_name=_NAME, tested_type=_TYPE, tested_id=_ID)
    return tested.filter(tested_name=name, tested_type="application", tested_id="")


def _newest(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    return events.order_by("-time", "-pk")[:MAX_ROWS]


def csv_header() -> list[str]:
    """Return the titles of the columns of `csv_rows`."""
    return [
        "Type", f"Time ({current_zone_name()})", "Address", "User agent", "Client secret", "Uses",
        "Action", "Entity", "Result", "Details", "Request",
    ]  # fmt: skip


def csv_rows(report: IncidentReport) -> Iterator[tuple[object, ...]]:
    """Yield a report as rows of one table. The time of a caller is that of its last use."""
    for caller in report.callers:
        secret = caller.secret.beginning
        yield (
            "Caller", _time(caller.last_at), caller.address or "others", caller.agent, secret,
            caller.count, "", "", "", "", "",
        )  # fmt: skip
    for type_, events in (("Operation", report.operations), ("Refusal", report.refusals)):
        for event in events or ():
            changes = orjson.dumps(event.changes).decode() if event.changes else ""
            yield (
                type_, _time(event.time), event.source_ip, "", "", "", event.action,
                f"{event.entity_type} {event.entity_name}".strip(), event.result,
                event.reason or changes, f"{event.http_method} {event.path}".strip(),
            )  # fmt: skip


def _time(time: datetime) -> str:
    return f"{timezone.localtime(time):%Y-%m-%d %H:%M:%S}"
