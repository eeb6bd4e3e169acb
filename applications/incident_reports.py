"""What an application did in the last 30 days, to judge what a leaked client secret was used for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

import orjson
from django.db.models import F, Max, Q, QuerySet, Sum
from django.db.models.lookups import Exact
from django.utils import timezone

from accessrules.authorization.authority import Authority
from applications.models import Application, ClientSecret, SecretUse
from applications.oauth.client_authentication import name_by_secret
from runai_access.audit.models import AuditEvent, is_known_by_name
from runai_access.db.expressions import SQLiteNoIndexHint
from runai_access.db.normalization_sql import is_lower
from runai_access.lists.times import current_zone_name

DAYS = 30
# The newest events that are read. A client at one address has one of sign-ins each minute, so these are
# more than its events of 30 days.
MAX_SCANNED = 50_000
# Rows of each part that are kept. Nobody can push rows of one part out with those of another.
MAX_ROWS = 5_000

_Row = TypeVar("_Row")


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
    requests and the failed sign-ins with its client ID or the ID of one of its secrets. Both are None
    for readers who can't view the audit log. Callers who were last seen before `callers_since` can be
    missing, and events before `audited_since`.
    """

    since: datetime
    callers: list[SecretCaller]
    callers_since: datetime
    operations: list[AuditEvent] | None = None
    refusals: list[AuditEvent] | None = None
    audited_since: datetime | None = None

    @property
    def has_all_callers(self) -> bool:
        return self.callers_since == self.since

    @property
    def has_all_events(self) -> bool:
        """Whether no event of these days is missing that the reader can see."""
        return self.audited_since in (None, self.since)

    @property
    def is_complete(self) -> bool:
        return self.has_all_callers and self.has_all_events


def report_of(application: Application, authority: Authority) -> IncidentReport:
    """Return the report of an application, for the reader with this authority."""
    since = timezone.now() - timedelta(days=DAYS)
    secrets = {secret.pk: secret for secret in application.secrets.all()}
    callers, callers_since = _kept(_callers(secrets, since), since, attrgetter("last_at"))
    if not authority.reads_audit_log:
        return IncidentReport(since, callers, callers_since)
    names = [application.name, *map(name_by_secret, secrets)]
    own = AuditEvent.objects.filter(subject_id=application.pk, time__gte=since)
    named = AuditEvent.objects.filter(is_lower("entity_name", *names), time__gte=since)
    own_since, named_since = _bound(own) or since, _bound(named) or since
    failed_sign_ins = named.filter(is_known_by_name("application", *names))
    operations, operations_since = _kept(_newest(own.filter(_IS_OPERATION), own_since), own_since)
    refusals, refusals_since = _kept(
        sorted(
            [*_newest(own.filter(_IS_REFUSED), own_since), *_newest(failed_sign_ins, named_since)],
            key=attrgetter("time", "pk"),
            reverse=True,
        ),
        max(own_since, named_since),
    )
    return IncidentReport(
        since,
        callers,
        callers_since,
        operations,
        refusals,
        audited_since=max(operations_since, refusals_since),
    )


def _callers(secrets: dict[str, ClientSecret], since: datetime) -> Iterator[SecretCaller]:
    uses = SecretUse.objects.filter(secret__in=list(secrets), day__gte=since.date())
    grouped = uses.values_list("secret", "address", "agent").annotate(
        uses=Sum("count"), latest=Max("last_at")
    )
    for key, address, agent, count, last_at in grouped.order_by(
        "-latest", "secret", "address", "agent"
    )[: MAX_ROWS + 1]:
        yield SecretCaller(secrets[key], address, agent, count, last_at)


def _bound(events: QuerySet[AuditEvent]) -> datetime | None:
    """Return the time of the oldest event to read, or None to read all."""
    times = events.order_by("-time").values_list("time", flat=True)
    return next(iter(times[MAX_SCANNED : MAX_SCANNED + 1]), None)


# Expressions have no index, so SQLite must use that of the subject.
_ACTION, _RESULT = SQLiteNoIndexHint(F("action")), SQLiteNoIndexHint(F("result"))
_IS_REFUSED = Q(Exact(_RESULT, AuditEvent.Result.FAILED))
_IS_OPERATION = ~Q(Exact(_ACTION, "sign-in")) & Q(Exact(_RESULT, AuditEvent.Result.SUCCEEDED))


def _newest(events: QuerySet[AuditEvent], begin: datetime) -> QuerySet[AuditEvent]:
    return events.filter(time__gte=begin).order_by("-time", "-pk")[: MAX_ROWS + 1]


def _kept(
    rows: Iterable[_Row], begin: datetime, time_of: Callable[[_Row], datetime] = attrgetter("time")
) -> tuple[list[_Row], datetime]:
    """Return the first MAX_ROWS rows, and since when none is missing: `begin`, if these are all."""
    found = list(rows)
    kept = found[:MAX_ROWS]
    return kept, begin if len(found) == len(kept) else time_of(kept[-1])


def csv_header() -> list[str]:
    """Return the titles of the columns of `csv_rows`."""
    return [
        "Type", f"Time ({current_zone_name()})", "Address", "User agent", "Client secret", "Uses",
        "Action", "Entity", "Result", "Details", "Request",
    ]  # fmt: skip


def csv_rows(report: IncidentReport) -> Iterator[tuple[object, ...]]:
    """Yield a report as rows of one table, first those that say which ones are missing.

    The time of a caller is that of its last use.
    """
    if not report.has_all_callers:
        yield _incomplete(report.callers_since, "Callers who were last seen before can be missing.")
    if report.audited_since and not report.has_all_events:
        yield _incomplete(report.audited_since, "Operations and refusals before can be missing.")
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


def _incomplete(time: datetime, text: str) -> tuple[object, ...]:
    return ("Incomplete", _time(time), "", "", "", "", "", "", "", text, "")


def _time(time: datetime) -> str:
    return f"{timezone.localtime(time):%Y-%m-%d %H:%M:%S}"
