"""Metrics of two replicas, as Prometheus reads them; alert rules and dashboard of deploy/."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client import REGISTRY
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from runai_access import measurements
from runai_access.metrics import collector, figures, publishing
from tests.conftest import StartServer, skip_for_missing_tool
from tests.operations.conftest import wait_until
from tests.servers import ROOT, Server, free_port

DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\brunai_access_\w+")
DERIVED = re.compile(r"_(bucket|sum|count|created)$")

pytestmark = pytest.mark.any_database


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        skip_for_missing_tool(f"{name} is not installed")
    return found


def documented() -> set[str]:
    text = (ROOT / "docs/metrics.md").read_text()
    return set(re.findall(r"^\| `(runai_access_\w+)` \|", text, re.MULTILINE))


@pytest.mark.django_db
def test_every_metric_is_documented() -> None:
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith(measurements.PREFIX)]
    names = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in (*ours, *collector._metrics(figures.read()))
    }
    assert names | {"runai_access_build_info", "runai_access_database_up"} == documented()


def expressions_of_dashboard() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [
        expr.replace("$__rate_interval", "5m").replace("$job", "runai-access") for expr in found
    ]


def test_alerts_and_dashboard_use_metrics_that_exist() -> None:
    alerts = (DEPLOY / "prometheus/alerts.yaml").read_text()
    used = set(NAME.findall("\n".join([alerts, *expressions_of_dashboard()])))
    assert {DERIVED.sub("", name) for name in used} - documented() == set()


def test_promtool_accepts_alerts_and_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expr}
        for number, expr in enumerate(expressions_of_dashboard())
    ]
    dashboard = tmp_path / "dashboard.yaml"
    dashboard.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    for arguments in (
        ["check", "rules", str(DEPLOY / "prometheus/alerts.yaml"), str(dashboard)],
        ["check", "config", str(DEPLOY / "prometheus/prometheus.yaml")],
    ):
        checked = subprocess.run(
            [tool("promtool"), *arguments], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_empty_files_of_a_worker_that_starts_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "counter_7.db").touch()
    written = MmapedDict(str(tmp_path / "counter_8.db"))
    written.write_value(mmap_key("served", "served_total", [], [], ""), 3, 0)
    (metric,) = publishing.WorkerCollector(tmp_path).collect()
    assert [sample.value for sample in metric.samples] == [3]


@pytest.fixture
def replicas(start_server: StartServer) -> list[Server]:
    """Two replicas with a published port for metrics each."""
    one = start_server(environment={"RUNAI_ACCESS_METRICS_PORT": str(free_port())})
    settings = {"RUNAI_ACCESS_METRICS_PORT": str(free_port())}
    return [one, start_server(environment=settings, database=one.database)]


def metrics_of(server: Server) -> str:
    port = server.environment["RUNAI_ACCESS_METRICS_PORT"]
    return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text


def value(server: Server, series: str) -> float:
    """Return the value of a series, or 0 if there is none."""
    lines = [line for line in metrics_of(server).splitlines() if line.startswith(f"{series} ")]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


def test_prometheus_scrapes_two_replicas_and_an_alert_fires(
    replicas: list[Server], tmp_path: Path
) -> None:
    one, other = replicas
    guess = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "wrong"}
    # Each on a new connection, so that they reach all workers.
    for _ in range(8):
        requests.post(f"{one.url}/api/v2/token", data=guess, timeout=30)
        requests.get(f"{one.url}/nowhere-4711/", timeout=30)
    refused = 'runai_access_tokens_refused_total{reason="wrong credentials"}'
    assert value(one, refused) == 8
    requests_ = 'runai_access_http_requests_total{method="GET",route="no route",status="404"}'
    assert value(one, requests_) == 8
    assert value(other, requests_) == 0
    assert "nowhere-4711" not in metrics_of(one)
    assert (
        value(one, "runai_access_background_leader")
        + value(other, "runai_access_background_leader")
        == 1
    )

    ready = "runai_access_workers_ready"
    assert value(one, ready) == 2
    worker = one.workers[-1]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in one.workers, "the end of the worker")
    assert value(one, refused) == 8, "the counters of a worker outlive it"
    wait_until(lambda: value(one, ready) == 2, "the next worker")

    with _prometheus(replicas, tmp_path) as query:
        up = 'sum(up{job="runai-access"})'
        wait_until(lambda: query(up) == 2, "the first scrapes")
        assert query(f"sum({refused})") == 8
        firing = 'count(ALERTS{alertname="RunaiAccessReplicaDown", alertstate="firing"})'
        assert query(firing) == 0
        other.stop()
        wait_until(lambda: query(firing) == 1, "the alert")
    one.stop()
    left_over = f"runai-access-metrics-*-{one.environment['PORT']}"
    assert not list(publishing._MEMORY.glob(left_over))


@contextmanager
def _prometheus(replicas: list[Server], folder: Path) -> Iterator[Callable[[str], float]]:
    """Run Prometheus with the configuration of deploy/, and no delays; yield a function to query it."""
    rules = yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text())
    for rule in rules["groups"][0]["rules"]:
        rule.pop("for", None)
    (folder / "alerts.yaml").write_text(yaml.safe_dump(rules))
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    ports = [server.environment["RUNAI_ACCESS_METRICS_PORT"] for server in replicas]
    targets = [f"127.0.0.1:{port}" for port in ports]
    config["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    url = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={url}",
            ],
            stdout=log,
            stderr=log,
        )

    def query(expression: str) -> float:
        try:
            answer = requests.get(
                f"http://{url}/api/v1/query", params={"query": expression}, timeout=5
            )
        except requests.ConnectionError:
            return -1
        if answer.status_code != 200:
            return -1
        result: list[Any] = answer.json()["data"]["result"]
        return float(result[0]["value"][1]) if result else 0

    try:
        yield query
    finally:
        process.kill()
        process.wait()
