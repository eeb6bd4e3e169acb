"""Tells the database that this server runs, which version, and how its background jobs did."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from django.db import DatabaseError, transaction
from django.utils import timezone

from runai_access import __version__
from runai_access.audit.chain import key_id
from runai_access.background.job import Outcome
from runai_access.maintenance.models import JobOutcome, Replica, SecretKeyUse

HEARTBEAT_SECONDS = 30.0


class Heartbeat:
    """Writes at most once every HEARTBEAT_SECONDS, if the database can be written."""

    def __init__(self) -> None:
        self._due = float("-inf")
        self._started_at = timezone.now()
        # The workers of one server share a row.
        self._name = f"{socket.gethostname()[:200]}:{os.getppid()}"

    def __call__(self, outcomes: Mapping[str, Outcome]) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + HEARTBEAT_SECONDS
        with suppress(DatabaseError), transaction.atomic():
            self._write(outcomes)

    def _write(self, outcomes: Mapping[str, Outcome]) -> None:
        now = timezone.now()
        Replica.objects.update_or_create(
            name=self._name,
            defaults={"seen_at": now, "version": __version__},
            create_defaults={
                "seen_at": now, "version": __version__, "started_at": self._started_at,
            },
        )  # fmt: skip
        SecretKeyUse.objects.get_or_create(key_id=key_id(), defaults={"first_used_at": now})
        rows = [
            JobOutcome(
                name=name,
                started_at=outcome.started_at,
                seconds=outcome.seconds,
                error=outcome.error[:600],
            )
            for name, outcome in sorted(outcomes.items())
        ]
        JobOutcome.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["started_at", "seconds", "error"],
        )
