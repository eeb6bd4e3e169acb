"""Resource usage of processes from Linux's /proc: memory in MB, and CPU time in milliseconds.

`ru_maxrss` would not go below the value at the start.
"""

import os
import re
from pathlib import Path


def resident(pid: int) -> float:
    return _of_status(pid, "VmRSS")


def peak(pid: int) -> float:
    return _of_status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _of_status(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"{name}:\s+(\d+)", status)
    if not found:
        raise AssertionError(f"/proc has no {name} of process {pid}.")
    return int(found[1]) / 1000
