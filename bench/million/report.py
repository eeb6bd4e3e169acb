"""The results of the runs: stored as JSON, printed as tables, and compared with the limits.

python -m bench.million.report              prints the stored results again
python -m bench.million.report --missed     prints only the rows that exceed their limit
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.million.rows import Row

KEPT = Path(__file__).resolve().parent.parent / "var" / "million"
SMALL, LARGE = 10_000, 1_000_000
GROWTH, TIMES = 1.5, 20.0
# For a page of three milliseconds, a difference below one is measurement noise.
MIN_GROWTH = 1.0
MEGABYTES = 150.0
# The groups of rows that have no limits.
PEERS = ("peers", "peers of the API")

Found = dict[int, dict[str, Row]]
"""The rows of one database by size and name."""


def memory_row(megabytes: float) -> Row:
    name = "peak memory of a worker"
    return Row("memory", name, megabytes, megabytes, MEGABYTES, unit="MB")


def keep(database: str, size: int, rows: Iterable[Row]) -> None:
    """Store the results of a run, and keep earlier results of other parts."""
    found = {**_read(database, size), **{row.name: row for row in rows}}
    KEPT.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(row) for row in found.values()], indent=1, ensure_ascii=False)
    _path(database, size).write_text(text + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all stored results; return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--missed", action="store_true")
    only_missed = parser.parse_args(arguments).missed
    missed: list[str] = []
    for database in ("sqlite", "postgresql"):
        sizes = sorted(int(path.stem.split("-")[1]) for path in KEPT.glob(f"{database}-*.json"))
        if sizes:
            found = {size: _read(database, size) for size in sizes}
            if not only_missed:
                print(f"\n## {database}\n\n" + "\n".join(_table(found)))
            missed += [f"{database}: {what}" for what in _missed(found)]
    print("\n" + "\n".join(f"MISSED {what}" for what in missed or ["nothing"]))
    return int(bool(missed))


def _read(database: str, size: int) -> dict[str, Row]:
    path = _path(database, size)
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return {row["name"]: Row(**{**row, "beside": tuple(row["beside"])}) for row in rows}


def _path(database: str, size: int) -> Path:
    return KEPT / f"{database}-{size}.json"


_PARTS = ("p95", "least", "cpu", "sql", "python", "queries")

# The table: a line per row, a column per size, and details for one size.


def _table(found: Found) -> Iterator[str]:
    sizes = [f"{size:,}" for size in found]
    head = ["", *sizes, "p95", "least", "CPU", "SQL", "Python", "queries", "slowest peer", "times"]
    yield _line(head)
    yield _line(["---", *["--:"] * (len(head) - 1)])
    # The details are those of the largest size that was measured.
    largest = {name: row for size in sorted(found) for name, row in found[size].items()}
    group = ""
    for row in largest.values():
        if row.group != group:
            group = row.group
            yield _line([f"**{group}**", *[""] * (len(head) - 1)])
        peer = _slowest_peer(row, largest)
        yield _line(
            [
                row.name + _more(row),
                *(_figure(of_size.get(row.name), "median") for of_size in found.values()),
                *(_figure(row, name) for name in _PARTS),
                _figure(peer, "median"),
                f"{peer.median / row.median:.1f}" if peer else "",
            ]
        )


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(row: Row | None, name: str) -> str:
    value = getattr(row, name, None)
    if row is None or value is None:
        return ""
    text = str(value) if name == "queries" else f"{value:,.1f}"
    return f"{text} {row.unit}" if row.unit != "ms" else text


def _more(row: Row) -> str:
    details = [f"{value:,} {name}" for name, value in row.more.items() if name != "bytes"]
    return f" ({', '.join(details)})" if details else ""


def _slowest_peer(row: Row, of_size: dict[str, Row]) -> Row | None:
    peers = [of_size[name] for name in row.beside if name in of_size]
    return max(peers, key=lambda peer: peer.median, default=None)


# Limits.


def _missed(found: Found) -> Iterator[str]:
    for size, rows in found.items():
        for row in rows.values():
            if row.limit is not None and row.median > row.limit:
                # On a busy machine, the CPU time says whether the row is slow.
                cpu = f" ({row.cpu:.1f} ms of CPU)" if row.cpu else ""
                text = f"{row.median:.1f} {row.unit}, not {row.limit:.1f}{cpu}"
                yield f"{row.name} at {size:,}: {text}"
            if row.python and row.python_limit and row.python > row.python_limit:
                limit = f"{row.python_limit:g}"
                yield f"{row.name} at {size:,}: {row.python:.1f} ms of Python, not {limit}"
    if SMALL in found and LARGE in found:
        yield from _grown(found[SMALL], found[LARGE])
    if LARGE in found:
        yield from _too_close(found[LARGE])


def _grown(small: dict[str, Row], large: dict[str, Row]) -> Iterator[str]:
    for name, row in large.items():
        before = small.get(name)
        if not before or row.can_grow or row.group in ("beside", *PEERS):
            continue
        is_strict = row.growth_allowance > 0
        if not is_strict and row.more.get("bytes", 0) > GROWTH * before.more.get("bytes", 0):
            continue  # the page shows more rows
        limit = GROWTH * before.median + row.growth_allowance
        if row.median > max(limit, before.median + MIN_GROWTH):
            yield f"{name}: {before.median:.1f} ms at {SMALL:,}, {row.median:.1f} ms at {LARGE:,}"


def _too_close(large: dict[str, Row]) -> Iterator[str]:
    """Yield a miss if the slowest view of a peer is not TIMES slower than ours."""
    peers = [
        (row, _slowest_peer(row, large)) for row in large.values() if row.group == "applications"
    ]
    both = [(peer, row) for row, peer in peers if peer]
    if both:
        peer, row = max(both, key=lambda pair: pair[0].median)
        if peer.median < TIMES * row.median:
            yield f"{peer.name}: {peer.median:.0f} ms is not {TIMES:g} times {row.median:.1f}"


if __name__ == "__main__":
    sys.exit(main())
