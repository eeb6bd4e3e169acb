"""Downloads of 20,000 rows: time to first byte, total time, cost, and effect on other requests.

The baseline is `csv.writer` over `values_list` of the same columns without the rules, streamed by the
same server.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench.million import processes
from bench.million.rows import Row, row_of
from bench.million.running import Bench

GROUP = "files"
ROUNDS = 7
FIRST_LIMIT, TIMES_LIMIT, MEGABYTES_LIMIT = 50.0, 2.0, 10.0
PLAIN = "csv.writer over values_list, no rules"
MEASURED = "applications with their rules"
FILES = {
    MEASURED: "/applications/applications.csv",
    "applications, of one role": "/applications/applications.csv?role__any_of={viewer}",
    "access rules": "/access-rules/access-rules.csv",
    "activity": "/activity/activity.csv",
}
BATCH_SIZE = 4


@dataclass(frozen=True)
class Download:
    """Milliseconds to the first byte and in total, CPU time in total, and the number of rows."""

    first: float
    whole: float
    cpu: float
    rows: int


def measure(bench: Bench) -> list[Row]:
    from accessrules.models import Role

    viewer = Role.objects.get(name="Viewer").pk
    addresses = {PLAIN: "/bench/plain.csv"}
    addresses |= {name: address.format(viewer=viewer) for name, address in FILES.items()}
    found: dict[str, list[Download]] = {name: [] for name in addresses}
    for name, address in addresses.items():
        _download(bench, address)
        for _ in range(ROUNDS):
            found[name].append(_download(bench, address))
            found[PLAIN].append(_download(bench, addresses[PLAIN]))
    limit = TIMES_LIMIT * median(one.whole for one in found[PLAIN])
    rows = [row for name, downloads in found.items() for row in _rows(name, downloads, limit)]
    return [*rows, _memory(bench), _others(bench)]


def _rows(name: str, downloads: list[Download], limit: float) -> Iterator[Row]:
    wholes, firsts = [one.whole for one in downloads], [one.first for one in downloads]
    of_rows = {"rows": downloads[0].rows}
    cpu = median(one.cpu for one in downloads)
    if name == PLAIN:
        yield row_of("peers", name, wholes, cpu=cpu, more=of_rows)
        return
    is_measured = name == MEASURED
    yield row_of(
        GROUP, name, wholes, limit=limit if is_measured else None, beside=(PLAIN,), cpu=cpu,
        more=of_rows,
    )  # fmt: skip
    yield row_of(GROUP, f"{name}: first byte", firsts, limit=FIRST_LIMIT if is_measured else None)


def _memory(bench: Bench) -> Row:
    """Download files one after the other, and measure the growth of a worker's peak memory."""
    address = FILES[MEASURED]
    for _ in range(2 * BATCH_SIZE):
        _download(bench, address)
    bench.forget_peaks()
    before = {pid: processes.resident(pid) for pid in bench.workers()}
    for _ in range(2 * BATCH_SIZE):
        _download(bench, address)
    grown = [processes.peak(pid) - size for pid, size in before.items()]
    return Row(
        GROUP, "memory during the download", max(grown), max(grown), MEGABYTES_LIMIT, unit="MB"
    )


def _others(bench: Bench) -> Row:
    """Request a page during concurrent downloads."""
    stop = threading.Event()

    def download() -> None:
        while not stop.is_set():
            _download(bench, FILES[MEASURED])

    threads = [threading.Thread(target=download) for _ in range(BATCH_SIZE)]
    for thread in threads:
        thread.start()
    try:
        times = [_download(bench, "/applications/").whole for _ in range(3 * ROUNDS)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return row_of(GROUP, f"the first page during {BATCH_SIZE} downloads", times)


def _download(bench: Bench, address: str) -> Download:
    before, began = bench.cpu(), time.perf_counter()
    connection = bench.connect(address)
    response = connection.getresponse()
    start = response.read(1)
    first = time.perf_counter() - began
    content = start + response.read()
    whole = time.perf_counter() - began
    connection.close()
    if response.status != 200:
        raise AssertionError(f"{address} returned {response.status}.")
    rows = content.count(b"\r\n") - 1
    return Download(first * 1000, whole * 1000, bench.cpu() - before, rows)
