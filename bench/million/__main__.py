"""The pages, files and writes at ten thousand, a hundred thousand and a million applications.

    make bench                                             everything; takes about an hour
    make bench BENCH="--sizes 10000 --databases sqlite"    what is chosen

Data are made in a temporary folder (TMPDIR chooses another place; all sizes take 9 GB) and are gone
afterwards. Views are asked of the sizes in turns, a round of each, so that what one takes longer
than another is not the machine's. Prints one table for each database, keeps what it found in
bench/var/million/, and exits with 1 where a limit is passed.
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
    asked = arguments.parse_args()
    options = ["--rounds", str(asked.rounds), "--parts", *asked.parts]
    for database in asked.databases:
        sizes = sorted(asked.sizes)
        print(f"{database}: {', '.join(f'{size:,}' for size in sizes)} applications", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            run_in_turns(_command(database, size, options, folder) for size in sizes)
    return report.main()


def _command(
    database: str, size: int, options: list[str], folder: str
) -> tuple[list[str], dict[str, str]]:
    """Return what measures one size on a database that is gone afterwards, and its environment."""
    command = [sys.executable, "-m", "bench.million.one", str(size), *options]
    if database == "postgresql":
        # Writes are to last, as they do where the product runs; tests do without.
        environment = {**os.environ, "POSTGRES_FSYNC": "on"}
        return [str(ROOT / ".ci" / "with-postgres"), *command], environment
    url = f"sqlite:///{Path(folder) / str(size)}.sqlite3"
    return command, {**os.environ, "DATABASE_URL": url}


if __name__ == "__main__":
    sys.exit(main())
