"""The number of workers: as many as the CPUs and the memory that this process is allowed to use.

A container or a service manager limits both with control groups (cgroups(7)). The limits of every
group above the process apply, too.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from runai_access import environment

# At least two workers, so that one long request never blocks the whole server. More workers than
# CPUs issue fewer tokens per second.
MIN_WORKERS = 2
MAX_WORKERS = 8
# What a worker needs while it hashes secrets, and what the main process needs.
WORKER_BYTES = 150 * 1024 * 1024
MAIN_BYTES = 100 * 1024 * 1024

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def workers() -> int:
    """Return RUNAI_ACCESS_WORKERS, or the number that suits this machine or container."""
    return environment.workers() or default_workers(cpus(), memory_bytes())


def default_workers(cpus: float, memory: float) -> int:
    """Return the number of workers for `cpus` CPUs and `memory` bytes.

    Little memory can reduce it to one: a second worker would be killed with all its requests.
    """
    by_cpu = min(max(math.ceil(cpus), MIN_WORKERS), MAX_WORKERS)
    fitting = (memory - MAIN_BYTES) / WORKER_BYTES
    return by_cpu if fitting >= by_cpu else max(1, int(fitting))


def cpus() -> float:
    """Return how many CPUs this process can use, as a fraction if a quota limits its time."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min([float(count or 1), *_limits("cpu", _cpu_quota)])


def memory_bytes() -> float:
    """Return the limit on the memory of this process in bytes; infinity if there is none."""
    return min([math.inf, *_limits("memory", _memory_limit)])


def _limits(controller: str, read: Callable[[Path], float]) -> Iterator[float]:
    """Yield the limits that apply to this process in version 1 and version 2 of control groups."""
    for folder in _folders(controller):
        # OSError: this group does not limit the resource, or is not visible in this container.
        with suppress(OSError, ValueError):
            yield read(folder)


def _folders(controller: str) -> Iterator[Path]:
    try:
        groups = _GROUPS.read_text().splitlines()
    except OSError:
        return  # not Linux
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _MOUNT / controller if controllers else _MOUNT
        group = root / path.lstrip("/")
        yield from (group, *(above for above in group.parents if above.is_relative_to(root)))


def _cpu_quota(folder: Path) -> float:
    if (folder / "cpu.max").exists():
        quota, period = (folder / "cpu.max").read_text().split()
    else:
        quota = (folder / "cpu.cfs_quota_us").read_text()
        period = (folder / "cpu.cfs_period_us").read_text()
    limit = int(quota) / int(period)  # ValueError for "max"
    return limit if limit > 0 else math.inf


def _memory_limit(folder: Path) -> float:
    for name in ("memory.max", "memory.limit_in_bytes"):
        if (folder / name).exists():
            return float(int((folder / name).read_text()))  # ValueError for "max"
    return math.inf
