"""Does an answered write survive kill -9? Rounds of writing under load, killing and looking.

    python -m bench.kills                        200 rounds on SQLite, in a temporary folder
    .ci/with-postgres python -m bench.kills      the same on PostgreSQL, which itself goes on
    python -m bench.kills 20                     so many rounds

In each round six programs create applications, grant and delete rules, regenerate secrets, disable
and delete, while two read. At some moment, right after one of the answers, the server and its workers
are killed; it is started again on the same database, and everything that was ever answered must be
there, with its row in the record and nothing done by half (and on SQLite `integrity_check` clean).

Prints what was lost, if anything was, and writes bench/var/kills-<database>.json. Exits with 1 then.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.operations.kills import KillRounds  # noqa: E402
from tests.servers import Server, free_port, fresh_database, launch  # noqa: E402


def main(rounds: int) -> int:
    seed = random.SystemRandom().getrandbits(32)
    print(f"Seed {seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, _servers(Path(name)) as servers:
        work = KillRounds(servers, random.Random(seed))  # noqa: S311  # not a secret
        lost: list[str] = []
        for number in range(1, rounds + 1):
            lost += [f"Round {number}: {what}" for what in work.run_one()]
            if number % 10 == 0 or lost:
                print(f"{number} rounds, {work.answered:,} answered, {len(lost)} lost", flush=True)
            if len(lost) > 20:
                break
        kind = "sqlite" if work.server.database.startswith("sqlite") else "postgresql"
        figures = {
            "database": kind,
            "seed": seed,
            "rounds": number,
            "answered writes": work.answered,
            "under way when killed": work.in_doubt,
            "lost": lost,
            "seconds": round(time.monotonic() - began),
        }
    kept = ROOT / "bench" / "var" / f"kills-{kind}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
    return int(bool(lost))


class _Servers:
    """Starts one server after the other.

    Only the first prepares the database; the others do at once what `serve` does after that, which
    leaves more of the time for the rounds.
    """

    def __init__(self, folder: Path, database: str) -> None:
        self._folder, self._database = folder, database
        self.last: Server | None = None

    def __call__(self, *, database: str = "") -> Server:
        if self.last is None:
            self.last = launch(self._folder, database=database or self._database)
        else:
            self.last = self._another(self.last)
        self.last.wait_until_ready(300)
        return self.last

    def _another(self, before: Server) -> Server:
        port = str(free_port())
        command = [sys.executable, "-m", "runai_access.server", "127.0.0.1", port]
        environment = {**before.environment, "PORT": port}
        with before.log.open("wb") as stream:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, process_group=0
            )
        return replace(
            before, url=f"http://127.0.0.1:{port}", environment=environment, process=process
        )


@contextmanager
def _servers(folder: Path) -> Iterator[_Servers]:
    with fresh_database(folder) as database:
        servers = _Servers(folder, database)
        try:
            yield servers
        finally:
            if servers.last:
                servers.last.kill()


if __name__ == "__main__":
    # The load and the server share the machine; neither is in a hurry.
    os.nice(5)
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
