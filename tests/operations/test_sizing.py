"""The number of workers and threads, and so of database connections, suits the machine."""

import math
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from runai_access import environment
from runai_access.server import sizing
from tests.conftest import StartServer

GIB = 1024**3

pytestmark = pytest.mark.any_database


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /sys/fs/cgroup; the process is in the group /apps/one."""
    (tmp_path / "cgroup").write_text(
        "4:cpu,cpuacct:/docker/4711\n3:memory:/docker/4711\n0::/apps/one\n"
    )
    monkeypatch.setattr(sizing, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(sizing, "_MOUNT", tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("cpus", "memory", "workers"),
    [
        (1, math.inf, 2),
        (2.5, math.inf, 3),
        (64, math.inf, 8),
        (4, 10 * GIB, 4),
        (4, GIB / 2, 2),
        (4, GIB / 4, 1),
        (4, 1000, 1),
    ],
)
def test_workers_suit_cpus_and_memory(cpus: float, memory: float, workers: int) -> None:
    assert sizing.default_workers(cpus, memory) == workers


def test_limits_of_control_groups_apply(groups: Path) -> None:
    write(groups / "apps/one", cpu__max="50000 100000", memory__max="max")
    write(groups / "apps", cpu__max="max 100000", memory__max=str(GIB))
    assert sizing.cpus() == 0.5
    assert sizing.memory_bytes() == GIB


def test_limits_of_control_groups_of_version_1_apply(groups: Path) -> None:
    """In a container, its own group is the root of the mount."""
    write(groups / "cpu", cpu__cfs_quota_us="25000", cpu__cfs_period_us="100000")
    write(groups / "memory", memory__limit_in_bytes=str(GIB))
    assert sizing.cpus() == 0.25
    assert sizing.memory_bytes() == GIB


def test_without_limits_all_cpus_and_memory_are_used(groups: Path) -> None:
    write(groups / "apps/one", cpu__max="max 100000", memory__max="max")
    write(groups / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert sizing.cpus() >= 1
    assert sizing.memory_bytes() == math.inf


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RUNAI_ACCESS_WORKERS", "0", "whole number of 1 or more"),
        ("RUNAI_ACCESS_WORKERS", "65", "at most 64"),
        ("RUNAI_ACCESS_THREADS", "3", "at least 4"),
        ("RUNAI_ACCESS_THREADS", "65", "at most 64"),
    ],
)
def test_an_invalid_size_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"{name} .*{message}"):
        environment.workers()
        environment.threads()


def test_a_server_has_the_chosen_number_of_workers(start_server: StartServer) -> None:
    sizes = {"RUNAI_ACCESS_WORKERS": "1", "RUNAI_ACCESS_THREADS": "4"}
    assert len(start_server(environment=sizes).workers) == 1
