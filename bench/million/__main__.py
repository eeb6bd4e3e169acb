"""Benchmark of pages, files and writes with 10,000, 100,000 and a million applications.

    make bench                                             everything; about three hours
    make bench BENCH="--sizes 10000 --databases sqlite"    a selection
    make bench BENCH="--parts api api-peers --missed"      the API; prints only exceeded limits
    make bench BENCH="--parts api --only access-rules"     only rows whose name contains a text

The data is created in a temporary folder (set TMPDIR for another one; all sizes need 9 GB) and deleted
at the end. The sizes are measured in turns, one round each, so that other load affects all of them.
Prints one table per database, stores results in bench/var/million/, and exits with 1 if a limit is
exceeded.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench.million import report
from bench.million.one import PARTS, ROOT, ROUNDS
from bench.million.turns import run_in_turns

SIZES = (10_000, 100_000, 1_000_000)
DATABASES = ("sqlite", "postgresql")


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make bench")
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--only", default="", metavar="TEXT")
    arguments.add_argument("--missed", action="store_true")
    asked = arguments.parse_args()
    options = ["--rounds", str(asked.rounds), "--only", asked.only, "--parts", *asked.parts]
    for database in asked.databases:
        sizes = sorted(asked.sizes)
        print(f"{database}: {', '.join(f'{size:,}' for size in sizes)} applications", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            run_in_turns(_command(database, size, options, folder) for size in sizes)
    return report.main(["--missed"] if asked.missed else [])


def _command(
    database: str, size: int, options: list[str], folder: str
) -> tuple[list[str], dict[str, str]]:
    """Return the command that measures one size on a temporary database, and its environment."""
    command = [sys.executable, "-m", "bench.million.one", str(size), *options]
    if database == "postgresql":
        # Durable writes, as in production; tests do without.
        environment = {**os.environ, "POSTGRES_FSYNC": "on"}
        return [str(ROOT / ".ci" / "with-postgres"), *command], environment
    url = f"sqlite:///{Path(folder) / str(size)}.sqlite3"
    return command, {**os.environ, "DATABASE_URL": url}


if __name__ == "__main__":
    sys.exit(main())
