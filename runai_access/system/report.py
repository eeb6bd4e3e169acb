"""The content of the System page, for the page and for its JSON."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.text import capfirst
from django.utils.timesince import timesince

from runai_access import __version__
from runai_access.accounts.models import User
from runai_access.audit.chain import key_id
from runai_access.maintenance.models import JobOutcome, Replica, SecretKeyUse
from runai_access.metrics import figures

# A replica that was not seen for this long has stopped, or can't write to the database.
MISSING_AFTER = timedelta(seconds=90)
# How long a replica that has stopped is listed.
LISTED = timedelta(days=1)


@dataclass(frozen=True)
class Item:
    """A fact with its value; `is_overdue` if an operator should act on it."""

    name: str
    value: str | int | None = None
    time: datetime | None = None
    is_overdue: bool = False


@dataclass(frozen=True)
class Section:
    """Facts under a heading."""

    title: str
    items: list[Item]


def read() -> list[Section]:
    """Read the report."""
    found = figures.read()
    overdue = dict(found.overdue())
    return [
        Section("Installation", _installation(found, overdue)),
        Section("Replicas", _replicas(found.now)),
        Section("Maintenance", _maintenance(found, overdue)),
        Section("Sign-in", _sign_in()),
        Section("Keys", _keys(found, overdue)),
        Section("Background jobs", _jobs()),
    ]


def read_audit_log() -> Section:
    """Read the state of the audit log: its verification, sealing and output."""
    found = figures.read()
    return Section("Audit log", _audit_log(found, dict(found.overdue())))


def as_document(sections: list[Section]) -> dict[str, Any]:
    """Return the report as JSON members."""
    return {section.title: [asdict(item) for item in section.items] for section in sections}


def _installation(found: figures.Figures, overdue: dict[str, bool]) -> list[Item]:
    database = "SQLite" if settings.IS_SQLITE else "PostgreSQL"
    version = ".".join(map(str, connection.get_database_version()))
    return [
        Item("Version", __version__),
        Item("Database", f"{database} {version}"),
        Item("URL", settings.PUBLIC_URL),
        Item("Pending migrations", found.pending_migrations, is_overdue=overdue["migrations"]),
    ]


def _replicas(now: datetime) -> list[Item]:
    rows = Replica.objects.filter(seen_at__gt=now - LISTED).order_by("-seen_at")
    return [
        Item(
            row.name,
            f"{row.version}, {'running' if now - row.seen_at < MISSING_AFTER else 'last seen'}",
            row.seen_at,
        )
        for row in rows
    ]


def _maintenance(found: figures.Figures, overdue: dict[str, bool]) -> list[Item]:
    archive = None if found.last_archive else "Never"
    return [
        _last_run("backup", found, overdue),
        Item("Last archive", archive, found.last_archive, overdue["archive_audit"]),
        *_audit_log(found, overdue),
    ]


def _last_run(command: str, found: figures.Figures, overdue: dict[str, bool]) -> Item:
    run = found.runs.get(command)
    value = run.detail if run else "Never"
    if run and not run.succeeded:
        value = f"Failed: {run.detail}"
    finished_at = run.finished_at if run else None
    return Item(f"Last {command}", value, finished_at, overdue[command])


def _audit_log(found: figures.Figures, overdue: dict[str, bool]) -> list[Item]:
    waiting = f"{found.unsealed:,} rows wait"
    return [
        _last_run("verify_audit", found, overdue),
        Item("Audit log head", f"{found.head[0]}:{found.head[1]}" if found.head[0] else None),
        Item("Sealing", waiting, found.oldest_unsealed, overdue["sealing"]),
        *(
            [
                Item(
                    "Audit log output",
                    settings.AUDIT_LOG,
                    found.unwritten_since,
                    overdue["audit_log"],
                )
            ]
            if settings.AUDIT_LOG
            else []
        ),
    ]


def _sign_in() -> list[Item]:
    break_glass = User.objects.filter(is_break_glass=True)
    last = break_glass.exclude(last_login=None).order_by("-last_login").first()
    return [
        Item("Identity provider", settings.OIDC.issuer if settings.OIDC else "None"),
        Item("Local sign-in", settings.LOCAL_SIGN_IN.capitalize()),
        Item("Second factor required", settings.REQUIRE_MFA.capitalize()),
        Item("Break-glass users", break_glass.count()),
        *([Item("Last sign-in of one", last.email, last.last_login)] if last else []),
    ]


def _keys(found: figures.Figures, overdue: dict[str, bool]) -> list[Item]:
    active = max((since for since in found.signing_keys if since <= found.now), default=None)
    age = timesince(active, found.now) if active else "None"
    used = SecretKeyUse.objects.filter(key_id=key_id()).first()
    return [
        Item("Signing key, age", age, active, overdue["signing_key"]),
        Item("Signing keys", len(found.signing_keys)),
        Item(
            "Secret key, age",
            timesince(used.first_used_at, found.now) if used else "Unknown",
            used.first_used_at if used else None,
        ),
        Item("Former secret keys accepted", len(settings.SECRET_KEY_FALLBACKS)),
    ]


def _jobs() -> list[Item]:
    return [
        Item(capfirst(row.name), row.error or "Succeeded", row.started_at, bool(row.error))
        for row in JobOutcome.objects.order_by("name")
    ]
