"""The pages, files and writes at ten thousand, a hundred thousand and a million applications.

    make bench                                             everything; takes about an hour
    make bench BENCH="--sizes 10000 --databases sqlite"    what is chosen

Data are made in a temporary folder (TMPDIR chooses another place; a million takes 5 GB) and are gone
afterwards. Prints one table for each database, keeps what it found in bench/var/million/, and exits
with 1 where a limit is passed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.million import report
from bench.million.one import PARTS, ROOT, ROUNDS

SIZES = (10_000, 100_000, 1_000_000)
DATABASES = ("sqlite", "postgresql")


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make bench")
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    asked = arguments.parse_args()
    command = [sys.executable, "-m", "bench.million.one", "--rounds", str(asked.rounds)]
    for database in asked.databases:
        for size in asked.sizes:
            print(f"{database}, {size:,} applications", flush=True)
            _run(database, [*command, str(size), "--parts", *asked.parts])
    return report.main()


def _run(database: str, command: list[str]) -> None:
    """Run the command with a database that is gone afterwards."""
    if database == "postgresql":
        # Writes are to last, as they do where the product runs; tests do without.
        environment = {**os.environ, "POSTGRES_FSYNC": "on"}
        command = [str(ROOT / ".ci" / "with-postgres"), *command]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{Path(folder) / 'bench.sqlite3'}"}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
