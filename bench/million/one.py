"""Measures one database at one size; creates the data if it is missing.

    DATABASE_URL=… python -m bench.million.one 1000000
    DATABASE_URL=… python -m bench.million.one 1000000 --parts pages files
    DATABASE_URL=… python -m bench.million.one 1000000 --parts api --only "access-rules: search"

Writes bench/var/million/<database>-<size>.json; `report` prints them as tables.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.million.turns import Turns

if TYPE_CHECKING:
    from bench.million.rows import Row
    from bench.million.running import Bench

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 21
PARTS = ("table", "pages", "api", "files", "writing", "peers", "api-peers")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("size", type=int)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--only", default="", metavar="TEXT")
    arguments.add_argument("--turns", type=int, nargs=2, default=())
    asked = arguments.parse_args()
    turns = Turns(*asked.turns)
    turns.wait()
    _set_up()
    _build(asked.size)
    _measure(asked, turns)


def _set_up() -> None:
    import django

    from bench.million.running import SECRET_KEY

    os.environ["RUNAI_ACCESS_SECRET_KEY"] = SECRET_KEY
    os.environ["DJANGO_SETTINGS_MODULE"] = "runai_access.settings"
    django.setup()


def _build(size: int) -> None:
    """Create missing data in a separate process."""
    from django.db import connection

    from bench.million import people

    program = "bench.million.data"
    if connection.introspection.table_names():
        program = "" if people.exist() else "bench.million.people"
    connection.close()
    if program:
        subprocess.run([sys.executable, "-m", program, str(size)], cwd=ROOT, check=True)


def _measure(asked: argparse.Namespace, turns: Turns) -> None:
    from bench.million import api, api_peer_views, files, pages, peer_views, report, table, writing
    from bench.million.rows import Row
    from bench.million.running import Bench, Options, serving

    measures: dict[str, Callable[[Bench], list[Row]]] = {
        "table": table.measure, "pages": pages.measure, "api": api.measure,
        "files": files.measure, "writing": writing.measure,
    }  # fmt: skip
    peers: dict[str, Callable[[Bench], list[Row]]] = {
        "peers": peer_views.measure, "api-peers": api_peer_views.measure,
    }  # fmt: skip
    options = Options(asked.rounds, asked.only)
    database = os.environ["DATABASE_URL"]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:

        def serve(settings: str) -> AbstractContextManager[Bench]:
            return serving(Path(folder), database, settings, options, turns)

        with serve("bench.million.settings") as bench:
            rows += _measured(bench, measures, asked.parts)
            rows.append(report.memory_row(bench.peak()))
            kind = bench.database
        if peers.keys() & set(asked.parts):
            with serve("bench.million.peer_settings") as bench:
                rows += _measured(bench, peers, asked.parts)
    report.keep(kind, asked.size, rows)


def _measured(
    bench: "Bench", measures: "Mapping[str, Callable[[Bench], list[Row]]]", parts: Collection[str]
) -> "Iterator[Row]":
    """Yield the rows of the chosen parts."""
    for part, measure in measures.items():
        if part in parts:
            yield from measure(bench)


if __name__ == "__main__":
    main()
