"""Metrics of the installation, which are read from the database when they are asked for."""

import platform
from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connection
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from runai_access import __version__
from runai_access.measurements import PREFIX
from runai_access.metrics import figures


class DatabaseCollector(Collector):
    """Yields the figures as metrics; while the database is away, only that it is."""

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily(
            f"{PREFIX}_build_info", "Version.", labels=["version", "python", "database"]
        )
        database = "sqlite" if settings.IS_SQLITE else "postgresql"
        build.add_metric([__version__, platform.python_version(), database], 1)
        yield build
        try:
            connection.close_if_unusable_or_obsolete()
            found = list(_metrics(figures.read()))
        except Error:
            connection.close()
            found = []
        yield GaugeMetricFamily(
            f"{PREFIX}_database_up", "1 if the database answers.", value=bool(found)
        )
        yield from found
        connection.close()  # each scrape has a new thread

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not query the database."""
        return []


def _metrics(found: figures.Figures) -> Iterator[Metric]:
    yield CounterMetricFamily(
        f"{PREFIX}_audit_rows", "Audit rows written, ever.", value=found.newest_event
    )
    yield _gauge("audit_unsealed_rows", "Audit rows that are not sealed yet.", found.unsealed)
    yield _gauge(
        "audit_seal_lag_seconds", "Age of the oldest audit row that is not sealed yet.",
        found.seal_lag.total_seconds(),
    )  # fmt: skip
    yield _gauge(
        "audit_log_lag_seconds", "Age of the oldest sealed row that is not written out yet.",
        found.output_lag.total_seconds(),
    )  # fmt: skip
    yield _gauge("audit_head_seal", "Number of the last seal.", found.head[0])
    yield _gauge(
        "audit_head_hash", "The first 12 hexadecimal digits of its hash, as a number.",
        int(found.head[1][:12] or "0", 16),
    )  # fmt: skip
    yield _gauge(
        "signing_key_age_seconds", "Age of the key that signs tokens.",
        found.signing_key_age.total_seconds(),
    )  # fmt: skip
    yield _gauge("signing_keys", "Stored signing keys.", len(found.signing_keys))
    yield _gauge("pending_migrations", "Migrations to apply.", found.pending_migrations)
    finished = _family(
        "maintenance_last_run_timestamp_seconds", "End of a command's last run.", "command"
    )
    succeeded = _family(
        "maintenance_last_run_succeeded", "1 if a command's last run succeeded.", "command"
    )
    for run in found.runs.values():
        finished.add_metric([run.command], run.finished_at.timestamp())
        succeeded.add_metric([run.command], run.succeeded)
    yield from (finished, succeeded)
    overdue = _family("overdue", "1 if a regular task is overdue.", "task")
    for task, is_overdue in found.overdue():
        overdue.add_metric([task], is_overdue)
    yield overdue
    connections = _family("database_connections", "Connections to PostgreSQL.", "state")
    for state, count in found.connections.items():
        connections.add_metric([state], count)
    yield connections


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _family(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[label])
