"""Measures one database at one size; creates the data if it is missing.

    DATABASE_URL=… python -m bench.million.one 1000000
    DATABASE_URL=… python -m bench.million.one 1000000 --parts pages files

Writes bench/var/million/<database>-<size>.json; `report` prints them as tables.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.million.turns import Turns

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 21
PARTS = ("table", "pages", "files", "writing", "peers")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("size", type=int)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--turns", type=int, nargs=2, default=())
    asked = arguments.parse_args()
    turns = Turns(*asked.turns)
    turns.wait()
    _set_up()
    _build(asked.size)
    _measure(asked.size, asked.parts, asked.rounds, turns)


def _set_up() -> None:
    import django

    from bench.million.running import SECRET_KEY

    os.environ["RUNAI_ACCESS_SECRET_KEY"] = SECRET_KEY
    os.environ["DJANGO_SETTINGS_MODULE"] = "runai_access.settings"
    django.setup()


def _build(size: int) -> None:
    """Fill the database in a separate process."""
    from django.db import connection

    if not connection.introspection.table_names():
        connection.close()
        subprocess.run(
            [sys.executable, "-m", "bench.million.data", str(size)], cwd=ROOT, check=True
        )


def _measure(size: int, parts: list[str], rounds: int, turns: Turns) -> None:
    from bench.million import files, pages, peer_views, report, table, writing
    from bench.million.rows import Row
    from bench.million.running import Bench, serving

    measures: dict[str, Callable[[Bench], list[Row]]] = {
        "table": table.measure, "pages": pages.measure, "files": files.measure,
        "writing": writing.measure,
    }  # fmt: skip
    database = os.environ["DATABASE_URL"]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        with serving(Path(folder), database, "bench.million.settings", rounds, turns) as bench:
            for part, measure in measures.items():
                if part in parts:
                    rows += measure(bench)
            rows.append(report.memory_row(bench.peak()))
            kind = bench.database
        if "peers" in parts:
            with serving(
                Path(folder), database, "bench.million.peer_settings", rounds, turns
            ) as bench:
                rows += peer_views.measure(bench)
    report.keep(kind, size, rows)


if __name__ == "__main__":
    main()
